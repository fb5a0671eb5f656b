import { describe, expect, it } from 'vitest';
import { buildConnection, EPOCH_SECONDS } from '../../../test/build-exchange.ts';
import type { Connection } from '../../model/exchange.ts';
import { Uids } from './uid.ts';

/** Of a connection that nobody has asked for before. */
const uidOf = (connection: Connection, epochSeconds = EPOCH_SECONDS): string =>
  new Uids().of(connection, epochSeconds);

describe('the uid of a connection', () => {
  const connection = buildConnection({ firstNs: 3_000_000_000 });

  it('looks like one of Zeek and stays the same from run to run', () => {
    const uid = uidOf(connection);
    expect(uid).toMatch(/^C[0-9A-Za-z]{17}$/);
    // As a SQLite file gives it: another object, the run's epoch at another second, roles turned round meanwhile.
    const { client, server } = connection;
    const again = buildConnection({ firstNs: 1_000_000_000, client: server, server: client });
    expect(uidOf(again, EPOCH_SECONDS + 2)).toBe(uid);
  });

  it('stays the same while the connection lives', () => {
    const uids = new Uids();
    const living = buildConnection();
    const uid = uids.of(living, EPOCH_SECONDS);
    [living.client, living.server] = [living.server, living.client];
    living.lastNs += 1;
    expect(uids.of(living, EPOCH_SECONDS)).toBe(uid);
    expect(uidOf(living)).toBe(uid);
  });

  it('is another one for another connection', () => {
    const others = [
      { firstNs: 3_000_000_001 },
      { capture: 1 },
      { vlans: [7] },
      { tunnels: [{ kind: 'vxlan', id: 5 } as const] },
      { client: { address: '10.0.0.1', port: 5001, text: '10.0.0.1:5001' } },
    ].map((parts) => buildConnection({ firstNs: 3_000_000_000, ...parts }));
    const uids = [connection, ...others].map((one) => uidOf(one));
    expect(new Set(uids).size).toBe(uids.length);
  });
});
