import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  /** The authority that signed `cert`, made for it alone. */
  readonly ca: string;
}

/** A certificate for a name or an IPv4 address, made on the spot by openssl. Throws when there is no openssl. */
export function testCertificate(name: string): TestCertificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-tls-'));
  const place = (file: string): string => path.join(folder, file);
  const openssl = (...args: string[]): void => {
    const { status, stderr, error } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`);
  };
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    openssl(
      'req',
      '-x509',
      ...fresh,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
    );
    openssl('req', ...fresh, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${name}`);
    writeFileSync(place('names'), `subjectAltName=${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}\n`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
    openssl('x509', '-req', '-in', 'request.pem', ...signing, '-out', 'cert.pem', '-days', '1');
    const text = (file: string): string => readFileSync(place(file), 'utf8');
    return { key: text('key.pem'), cert: text('cert.pem'), ca: text('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
