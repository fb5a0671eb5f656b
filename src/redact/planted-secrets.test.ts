import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapngFile } from '../../fixtures/build/capture-file.ts';
import { conversation, START_NS } from '../../fixtures/build/conversation.ts';
import { networkOf } from '../../fixtures/build/frames.ts';
import {
  bytesOf,
  concat,
  ETHERTYPE,
  ethernet,
  geneve,
  ipv4,
  ipv4Fragments,
  ipv6,
  PROTOCOL,
  tcp,
  u8,
  u16,
  udp,
  vxlan,
} from '../../fixtures/build/packets.ts';
import { type Random, reorder, resegment, retransmit, seededRandom } from '../../fixtures/build/transform.ts';
import { type FedPacket, fuzzRuns, packetsOf } from '../../test/pipeline-run.ts';
import { redactFiles } from '../../test/redact-run.ts';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A secret as generators make them: no word, and long enough not to appear by chance. */
function secretOf(random: Random, more = ''): string {
  const alphabet = CHARACTERS + more;
  const length = 14 + Math.floor(random() * 20);
  let secret = '';
  for (let index = 0; index < length; index += 1) secret += alphabet[Math.floor(random() * alphabet.length)];
  // Neither a word nor a number.
  return `${secret.slice(0, 5)}7q${secret.slice(5)}9Z`;
}

/** Everything that a secret could be recognised by, as bytes. Written without the redactor's own list. */
function encodingsOf(secret: string): Map<string, Buffer> {
  const bytes = Buffer.from(secret);
  const forms = new Map<string, Buffer>();
  const add = (name: string, form: string | Uint8Array): void => {
    forms.set(name, typeof form === 'string' ? Buffer.from(form, 'latin1') : Buffer.from(form));
  };
  add('plain', secret);
  add('lower case', secret.toLowerCase());
  add('upper case', secret.toUpperCase());
  add('reversed', [...secret].reverse().join(''));
  add('percent', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  add('PERCENT', [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''));
  add('hex', bytes.toString('hex'));
  add('HEX', bytes.toString('hex').toUpperCase());
  add('utf-16le', Buffer.from(secret, 'utf16le'));
  add('utf-16be', Buffer.from(secret, 'utf16le').swap16());
  for (const shift of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=/g, '');
    const inner = text.slice(4, -4);
    add(`base64 +${shift}`, inner);
    add(`base64url +${shift}`, inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  // Pieces too: half a secret is too much.
  add('first half', secret.slice(0, Math.ceil(secret.length / 2)));
  add('second half', secret.slice(-Math.ceil(secret.length / 2)));
  return forms;
}

function foundIn(haystack: Uint8Array, secret: string): string[] {
  const buffer = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.length);
  return [...encodingsOf(secret)].filter(([, form]) => buffer.includes(form)).map(([name]) => name);
}

const b64 = (text: string): string => Buffer.from(text).toString('base64');
const hex = (text: string): string => Buffer.from(text).toString('hex');
const pct = (text: string): string => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join('');

/** Request heads, each with the secret somewhere else. */
const IN_REQUEST: readonly ((secret: string) => string)[] = [
  (s) => `GET /reset/${s} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET /files/${s}.json HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET /x;jsessionid=${s}/y HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET /x?token=${s}&page=2#${s} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET /x?q=${pct(s)}&${s}=1&${s} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET http://user:${s}@a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  (s) => `GET http://${s}.example/x HTTP/1.1\r\nHost: ${s}.example\r\n\r\n`,
  (s) => `CONNECT ${s}.example:443 HTTP/1.1\r\nHost: ${s}\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${s}\r\nProxy-Authorization: Basic ${b64(`u:${s}`)}\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${s}\r\nX-Api-Key: ${s}\r\nX-Unknown: ${hex(s)}\r\n\r\n`,
  (s) => `GET / HTTP/1.1\r\nHost: a\r\nCookie: sid=${s}; ${s}=x; theme=${b64(s)}\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nReferer: https://a.example/p?code=${s}\r\nOrigin: https://${s}.example\r\n\r\n`,
  (s) => `GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: app/1.0 (${s}; ${b64(s)})\r\nAccept: text/${s}\r\n\r\n`,
  (s) => `GET / HTTP/1.1\r\nHost: a\r\nX-${s}: y\r\n${s}: z\r\n${s}\r\n folded ${s}\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nCache-Control: no-cache, x="${s}"\r\nRange: ${s}=1-2\r\nIf-None-Match: "${s}"\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${s}, 10.0.0.1\r\nForwarded: for="_${s}";by=${s}\r\nVia: 1.1 ${s}\r\n\r\n`,
  (s) =>
    `${s} / HTTP/1.1\r\nHost: a\r\nDate: ${s}\r\nExpect: ${s}\r\nUpgrade: ${s}\r\nConnection: ${s}\r\n\r\n`,
  (s) => `GET /a ${s} HTTP/1.1\r\nHost: a\r\nTE: ${s}\r\nTransfer-Encoding: ${s}\r\n\r\n`,
  (s) =>
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain; charset=${s}\r\nContent-Length: x${s}\r\n\r\n`,
];

const withBody = (type: string, body: string, more = ''): string =>
  `POST /in HTTP/1.1\r\nHost: a.example\r\nContent-Type: ${type}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (parts: readonly string[], trailers = ''): string =>
  `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')}0\r\n${trailers}\r\n`;

const IN_BODY: readonly ((secret: string) => string)[] = [
  (s) =>
    withBody(
      'application/json',
      JSON.stringify({ password: s, list: [s, 1, { note: `a ${s} b` }], id: 12345 }),
    ),
  (s) => withBody('application/json', JSON.stringify({ [s]: 1, deep: { [b64(s)]: hex(s) } })),
  (s) => withBody('application/json', `{"a": "${[...s].map((c) => `\\u00${hex(c)}`).join('')}", ${s}`),
  (s) => withBody('application/json', `{"cut": "${s}`),
  (s) => withBody('application/x-www-form-urlencoded', `user=bob&password=${s}&${s}=1&${s}`),
  (s) => withBody('application/x-www-form-urlencoded', pct(s)),
  (s) =>
    withBody(
      `multipart/form-data; boundary=${s}`,
      `--${s}\r\nContent-Disposition: form-data; name="${s}"; filename="${s}.txt"\r\nX-${s}: 1\r\n\r\n${s}\r\n--${s}--\r\n`,
    ),
  (s) => withBody('application/xml', `<a b="${s}">${s}</a><!-- ${s} -->`),
  (s) =>
    withBody('text/plain', `${s}\n${b64(s)}\n${hex(s)}\n${Buffer.from(s, 'utf16le').toString('latin1')}`),
  (s) => withBody(s, s),
  (s) => withBody('application/json', gzipSync(s).toString('latin1'), 'Content-Encoding: gzip\r\n'),
  (s) => withBody('application/json', brotliCompressSync(s).toString('latin1'), 'Content-Encoding: br\r\n'),
  (s) => withBody('text/html', deflateSync(s).toString('latin1'), 'Content-Encoding: deflate\r\n'),
  (s) =>
    `POST /c HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(
      [`{"token":"${s.slice(0, 9)}`, `${s.slice(9)}"}`],
      `X-Trailer: ${s}\r\n${s}: 1\r\n`,
    )}`,
  (s) =>
    `POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4;${s}="${s}"\r\nabcd\r\n0;x=${s}\r\n\r\n`,
  (s) => `POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz${s}\r\n\r\n`,
];

const ANSWERS: readonly ((secret: string) => string)[] = [
  (s) =>
    `HTTP/1.1 200 OK\r\nSet-Cookie: sid=${s}; Domain=${s}.example; Path=/${s}; Expires=${s}\r\nContent-Length: 0\r\n\r\n`,
  (s) => `HTTP/1.1 302 ${s}\r\nLocation: /next?code=${s}\r\nServer: ${s}\r\nContent-Length: 0\r\n\r\n`,
  (s) =>
    `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="${s}", nonce=${s}\r\nContent-Length: 0\r\n\r\n`,
  (s) =>
    `HTTP/1.1 100 Continue\r\nX-Hint: ${s}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${s.length}\r\n\r\n${s}`,
  (s) => `HTTP/1.1 200 OK\r\nETag: "${s}"\r\nLast-Modified: ${s}\r\n\r\n${s} until the end`,
  (s) =>
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${s}\r\n\r\n\x81\x05${s}`,
  (s) => `${s} no answer at all\r\nHTTP/1.1 200 OK\r\n\r\n`,
];

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** A conversation full of secrets, cut and disturbed as networks do. */
function httpPackets(secret: string, random: Random): FedPacket[] {
  const script = conversation({ mss: 1 + Math.floor(random() * 300) }).handshake();
  const count = 1 + Math.floor(random() * 5);
  for (let index = 0; index < count; index += 1) {
    script.fromClient((random() < 0.5 ? pick(IN_REQUEST, random) : pick(IN_BODY, random))(secret));
    script.fromServer(pick(ANSWERS, random)(secret));
  }
  if (random() < 0.3) script.fromClient(`GET /partial/${secret}`);
  else script.fin();
  let { segments } = script;
  if (random() < 0.5) segments = resegment(segments, () => 1 + Math.floor(random() * 50));
  if (random() < 0.5) segments = retransmit(segments, 0.3, random);
  if (random() < 0.4) segments = reorder(segments, 5, random);
  if (random() < 0.3) segments = segments.filter(() => random() > 0.05);
  if (random() < 0.3) {
    // Segments sent again with the secret in place of what was there.
    segments = segments.flatMap((segment) => {
      if (segment.payload.length < 4 || random() > 0.2) return [segment];
      const other = bytesOf(secret.repeat(1 + segment.payload.length / secret.length));
      return [segment, { ...segment, payload: other.subarray(0, segment.payload.length) }];
    });
  }
  return packetsOf(
    segments,
    pick(['ethernet', 'vlan', 'sll', 'sll2', 'vxlan', 'gre', 'gtp', 'pppoe'] as const, random),
  );
}

/** Packets outside of TCP, and places in packets where nobody looks. */
function oddPackets(secret: string): FedPacket[] {
  const bytes = bytesOf(secret);
  const ends = { from: '10.0.0.1', to: '10.0.0.2' };
  const icmp = (type: number, rest: Uint8Array): Uint8Array =>
    ethernet(
      ipv4({
        ...ends,
        payload: { protocol: PROTOCOL.icmp, bytes: concat(u8(type, 3, 0, 0), rest), checksumAt: null },
      }),
    );
  const quoted = ipv4({ ...ends, payload: tcp({ from: 1, to: 2, seq: 3, payload: secret }) }).bytes;
  const request = tcp({
    from: 4000,
    to: 80,
    seq: 1,
    payload: `GET /${secret} HTTP/1.1\r\nX: ${secret}\r\n\r\n`,
  });
  const option = concat(u8(0x07, 2 + Math.min(36, bytes.length), 4), bytes).subarray(0, 38);
  const tcpOptions = networkOf({
    ...conversation().handshake().segments[0]!,
    payload: bytesOf(secret),
  });
  const frames: Uint8Array[] = [
    ethernet(ipv4({ ...ends, payload: udp({ from: 53, to: 4000, payload: secret }) })),
    ethernet(
      ipv6({ from: '2001:db8::1', to: '2001:db8::2', payload: udp({ from: 5, to: 6, payload: secret }) }),
    ),
    icmp(8, concat(u16(1), u16(2), bytes)),
    icmp(3, concat(u16(0), u16(0), quoted)),
    concat(ethernet(ipv4({ ...ends, payload: tcp({ from: 1, to: 2, seq: 3 }) })), bytes),
    ethernet(ipv4({ ...ends, payload: tcp({ from: 1, to: 2, seq: 3 }), options: option })),
    ethernet({ etherType: 0x88cc, bytes }),
    ethernet({
      etherType: ETHERTYPE.arp,
      bytes: concat(u8(0, 1, 8, 0, 6, 4, 0, 1), new Uint8Array(20), bytes),
    }),
    ethernet(tcpOptions),
    ethernet(ipv4({ ...ends, payload: vxlan(concat(new Uint8Array(12), u16(0x88cc), bytes), 5) })),
    ethernet(
      ipv4({
        ...ends,
        payload: geneve(
          ethernet(ipv4({ ...ends, payload: request })),
          7,
          concat(u8(1, 2, 3, 1), bytes.subarray(0, 4)),
        ),
      }),
    ),
    ethernet(ipv4({ ...ends, payload: { protocol: 200, bytes, checksumAt: null } })),
    ethernet(ipv4({ ...ends, payload: { protocol: 50, bytes, checksumAt: null } })),
    bytes,
    ...ipv4Fragments({ ...ends, payload: request, id: 9 }, 16).map((one) => ethernet(one)),
    ...ipv4Fragments({ ...ends, payload: request, id: 10 }, 16)
      .slice(1)
      .map((one) => ethernet(one)),
    ...ipv4Fragments({ ...ends, payload: udp({ from: 1, to: 2, payload: secret }), id: 11 }, 16).map((one) =>
      ethernet(one),
    ),
  ];
  return [
    ...frames.map((frame, index) => ({ frame, timeNs: START_NS + BigInt(index) * 1_000_000n })),
    { frame: bytes, timeNs: START_NS, linkType: 147 },
    { frame: concat(u8(0, 0, 40, 0), new Uint8Array(36), bytes), timeNs: START_NS, linkType: 127 },
  ];
}

function captureFile(packets: readonly FedPacket[], secret: string): Uint8Array {
  const types = [...new Set(packets.map(({ linkType = 1 }) => linkType))];
  return pcapngFile(
    packets.map(({ linkType = 1, ...packet }, index) => ({
      ...packet,
      interfaceId: types.indexOf(linkType),
      ...(index % 5 === 0 ? { comments: [`seen by ${secret}`] } : {}),
    })),
    {
      interfaces: types.map((linkType) => ({
        linkType,
        resolution: 9,
        name: `if-${secret}`,
        comments: [secret],
      })),
      comments: [secret],
    },
  );
}

describe('planted secrets', () => {
  it('the search finds what is planted', () => {
    const secret = secretOf(seededRandom(1));
    expect(foundIn(Buffer.from(`..${secret}..`), secret)).toContain('plain');
    expect(foundIn(Buffer.from(b64(`u:${secret}`)), secret)).toContain('base64 +2');
    expect(foundIn(Buffer.from(pct(secret)), secret)).toContain('percent');
    expect(foundIn(Buffer.from(secret, 'utf16le'), secret)).toContain('utf-16le');
    const planted = captureFile([...httpPackets(secret, seededRandom(2)), ...oddPackets(secret)], secret);
    expect(foundIn(planted, secret)).toContain('plain');
  });

  it.each([
    ...IN_REQUEST.map((build, index) => ({ place: `request ${index}`, build })),
    ...IN_BODY.map((build, index) => ({ place: `body ${index}`, build })),
  ])('$place', async ({ build }) => {
    const random = seededRandom(7);
    for (const secret of [secretOf(random), secretOf(random, '+/=-_'), secretOf(random).toLowerCase()]) {
      const script = conversation().handshake();
      script.fromClient(build(secret)).fromServer('HTTP/1.1 204 No Content\r\n\r\n').fin();
      const { bytes, before, after } = await redactFiles([captureFile(packetsOf(script.segments), secret)]);
      expect(foundIn(bytes, secret)).toEqual([]);
      expect(before.length).toBeGreaterThan(0);
      expect(after.map(({ response }) => response?.status)).toEqual(
        before.map(({ response }) => response?.status),
      );
    }
  });

  it.each(ANSWERS.map((build, index) => ({ place: `answer ${index}`, build })))(
    '$place',
    async ({ build }) => {
      const secret = secretOf(seededRandom(11));
      const script = conversation().handshake().fromClient('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
      script.fromServer(build(secret)).fin();
      const { bytes } = await redactFiles([captureFile(packetsOf(script.segments), secret)]);
      expect(foundIn(bytes, secret)).toEqual([]);
    },
  );

  it('beside HTTP: UDP, ICMP, options, padding, fragments, comments, unknown link types', async () => {
    const secret = secretOf(seededRandom(3));
    const { bytes, result } = await redactFiles([captureFile(oddPackets(secret), secret)]);
    expect(foundIn(bytes, secret)).toEqual([]);
    expect(result.packets).toBe(oddPackets(secret).length);
  });

  it('in any mixture, cut, repeated, lost, contradicted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const random = seededRandom(seed);
        const secret = secretOf(random);
        const packets = [...httpPackets(secret, random), ...(random() < 0.3 ? oddPackets(secret) : [])];
        const { bytes } = await redactFiles([captureFile(packets, secret)]);
        expect(foundIn(bytes, secret)).toEqual([]);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  it('when limits are reached', async () => {
    const random = seededRandom(5);
    for (const limits of [
      { planBytes: 300 },
      { structureBytes: 20 },
      { structureBytesTotal: 10 },
      { fragmentedBytes: 1 },
      { earlyBytes: 1 },
    ]) {
      const secret = secretOf(random);
      const packets = [...httpPackets(secret, random), ...oddPackets(secret)];
      const { bytes } = await redactFiles([captureFile(packets, secret)], { limits });
      expect(foundIn(bytes, secret)).toEqual([]);
    }
  });
});
