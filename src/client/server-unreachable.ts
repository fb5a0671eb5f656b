/**
 * No answer came: the server is away, or the way to it is not right. Always worth another try later: what is wrong
 * can be put right without changing the request.
 */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
  /** Kebab-case: refused, unknown-host, no-route, timeout, cut, certificate, not-tls, not-http, redirect, failed. */
  readonly code: string;
  /** What to do about it; null: the message says it. */
  readonly hint: string | null;
  readonly retry = true;

  constructor(code: string, message: string, hint: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** What certificates are refused for, in words. Codes are those of OpenSSL and Node. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; is the clock of this machine right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  HOSTNAME_MISMATCH: 'it is for another name',
  CERT_REVOKED: 'it was revoked',
  CERT_UNTRUSTED: 'it is not trusted',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  INVALID_CA: 'its authority may not sign',
  INVALID_PURPOSE: 'it is not for servers',
  EE_KEY_TOO_SMALL: 'its key is too short',
  CA_MD_TOO_WEAK: 'it is signed with a weak hash',
};

const KNOWN_WITH_CA = 'check that --tls-ca is the authority that signed it';
const KNOWN_WITHOUT_CA = 'give the authority that signed it with --tls-ca FILE';

/** Says what a failed connection means. `url`: the server's address as it may be shown. */
export function unreachable(error: unknown, url: string, hasCa: boolean): ServerUnreachable {
  if (error instanceof ServerUnreachable) return error;
  const { code, message } = firstOf(error);
  const options = { cause: error };
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) {
    const unknown = fault.includes('not known') || fault.includes('by itself');
    const hint = unknown ? (hasCa ? KNOWN_WITH_CA : KNOWN_WITHOUT_CA) : null;
    const names = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? altNames(message) : '';
    return new ServerUnreachable(
      'certificate',
      `the certificate of ${url} is refused: ${fault}${names}`,
      hint,
      options,
    );
  }
  switch (code) {
    case 'ECONNREFUSED':
      return new ServerUnreachable('refused', `nothing listens at ${url}`, 'is wirelens server running there?', options);
    case 'ENOTFOUND':
    case 'EAI_NONAME':
      return new ServerUnreachable('unknown-host', `the host of ${url} is not known`, 'check the name', options);
    case 'EAI_AGAIN':
      return new ServerUnreachable('unknown-host', `the name server cannot be asked for the host of ${url}`, 'check the network', options);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return new ServerUnreachable('no-route', `there is no way from here to ${url}`, 'check address and network', options);
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return url.startsWith('https:') && /before secure TLS connection/.test(message)
        ? new ServerUnreachable('not-tls', `${url} hung up before TLS began`, 'does it speak plain http:// there?', options)
        : new ServerUnreachable('cut', `${url} cut the connection before it had answered`, url.startsWith('http:') ? 'if it speaks TLS, write https://' : null, options);
    case 'ETIMEDOUT':
      return new ServerUnreachable('timeout', `${url} does not answer`, 'check address, port and firewall', options);
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return /wrong version number|packet length too long|http request/i.test(message)
        ? new ServerUnreachable('not-tls', `${url} does not speak TLS`, 'does it speak plain http:// there?', options)
        : new ServerUnreachable('certificate', `TLS with ${url} failed: ${opensslReason(message)}`, null, options);
  }
  if (code.startsWith('HPE_')) {
    const hint = url.startsWith('http:') ? 'if it speaks TLS, write https://' : 'check the port';
    return new ServerUnreachable('not-http', `what ${url} answers is no HTTP`, hint, options);
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_'))
    return new ServerUnreachable('certificate', `TLS with ${url} failed: ${opensslReason(message)}`, null, options);
  return new ServerUnreachable('failed', `${url} cannot be reached: ${message}`, null, options);
} // biome-ignore format: a table of cases

/** Of a connection tried at several addresses, the first failure. */
function firstOf(error: unknown): { code: string; message: string } {
  const errors = error instanceof AggregateError && error.errors.length > 0 ? error.errors : [error];
  const first = errors[0] as NodeJS.ErrnoException;
  const message = first?.message ?? String(error);
  return { code: first?.code ?? (error as NodeJS.ErrnoException)?.code ?? '', message };
}

/** The names that the certificate is for, as Node lists them in its message. */
function altNames(message: string): string {
  const [, names] = /altnames?: (.*)$/s.exec(message) ?? [];
  return names === undefined ? '' : `: ${names.slice(0, 200)}`;
}

/** `error:0A000152:SSL routines:…:unsafe legacy renegotiation disabled:…` to its reason. */
function opensslReason(message: string): string {
  const parts = message.split(':');
  return (parts.length > 4 ? (parts[4] ?? message) : message).slice(0, 200);
}
