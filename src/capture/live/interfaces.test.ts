import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Namespace, namespacesMissing } from '../../../test/live-namespace.ts';
import { listInterfaces } from './interfaces.ts';

describe('the list of interfaces', () => {
  it('has those without address and those that are down too, and is that of the namespace', (context) => {
    const missing = namespacesMissing();
    if (missing !== null) return context.skip(missing);
    const namespace = new Namespace();
    try {
      namespace.veth('out', 'in');
      namespace.ip('address add 10.9.8.7/24 dev in');
      namespace.ip('link set out mtu 1400');
      namespace.ip('link add plain type veth peer name other');
      namespace.ip('link set lo up');
      const listed = namespace.enter(() => listInterfaces());
      const shown: { ifname: string; ifindex: number; mtu: number; flags: string[] }[] = JSON.parse(
        execFileSync('ip', ['-n', namespace.name, '-j', 'link'], { encoding: 'utf8' }),
      );
      expect(listed.map(({ name, index, mtu, up, running }) => ({ name, index, mtu, up, running }))).toEqual(
        shown.map(({ ifname, ifindex, mtu, flags }) => ({
          name: ifname,
          index: ifindex,
          mtu,
          up: flags.includes('UP'),
          running: flags.includes('LOWER_UP'),
        })),
      );
      const known = new Map(listed.map((one) => [one.name, one]));
      expect(known.get('lo')).toMatchObject({ kind: 'loopback', loopback: true, addresses: ['127.0.0.1/8'] });
      expect(known.get('in')).toMatchObject({
        kind: 'Ethernet',
        loopback: false,
        addresses: ['10.9.8.7/24'],
      });
      expect(known.get('plain')).toMatchObject({ up: false, running: false, addresses: [] });
    } finally {
      namespace.remove();
    }
  });
});
