import { createHash } from 'node:crypto';
import type { Connection } from '../../model/exchange.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Digits after the `C`, as Zeek has them. */
const UID_DIGITS = 17;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The connection's `uid`, the same in every log and in every run over the same captures: made of its ends (in
 * either order, because roles may turn round while it lives), the time of its first packet, its capture, VLANs and
 * tunnels. About 100 bits of SHA-256.
 */
export class Uids {
  readonly #known = new WeakMap<Connection, string>();

  of(connection: Connection, epochSeconds: number | null): string {
    const known = this.#known.get(connection);
    if (known !== undefined) return known;
    const uid = uidOf(connection, epochSeconds);
    this.#known.set(connection, uid);
    return uid;
  }
}

function uidOf(connection: Connection, epochSeconds: number | null): string {
  const { client, server, capture, firstNs, vlans, tunnels } = connection;
  const firstByUnixTime = BigInt(epochSeconds ?? 0) * NS_PER_SECOND + BigInt(firstNs);
  const around = tunnels.map(({ kind, id }) => [kind, id]);
  const identity = JSON.stringify([
    [client.text, server.text].sort(),
    String(firstByUnixTime),
    capture,
    vlans,
    around,
  ]);
  const hash = createHash('sha256').update(identity).digest();
  let digits = '';
  for (const byte of hash.subarray(0, UID_DIGITS)) digits += DIGITS[byte % DIGITS.length];
  return `C${digits}`;
}
