import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { HARDWARE_TYPE, InterfaceProbe, type InterfaceState } from './interface-probe.ts';
import { LINUX, type Libc, libc } from './libc.ts';

export interface NetworkInterface {
  readonly name: string;
  readonly index: number;
  /** ARPHRD_ number of linux/if_arp.h, and a word for it. */
  readonly hardwareType: number;
  readonly kind: string;
  readonly up: boolean;
  /** Up and with a carrier. */
  readonly running: boolean;
  readonly loopback: boolean;
  /** IPv4 and IPv6 addresses with their prefix length; empty when it has none or is down. */
  readonly addresses: readonly string[];
  readonly mtu: number;
}

const KINDS: Readonly<Record<number, string>> = {
  [HARDWARE_TYPE.ethernet]: 'Ethernet',
  [HARDWARE_TYPE.loopback]: 'loopback',
  24: 'IEEE 1394',
  32: 'InfiniBand',
  280: 'CAN',
  512: 'PPP',
  768: 'IP in IP',
  769: 'IPv6 tunnel',
  776: 'IPv6 in IPv4',
  778: 'GRE',
  801: '802.11',
  802: '802.11',
  803: '802.11',
  823: 'GRE over IPv6',
  824: 'netlink',
  65534: 'IP',
};

/**
 * The interfaces of this process's network namespace, those without address and those that are down too, by index.
 * Empty where there is no Linux.
 */
export function listInterfaces(): NetworkInterface[] {
  const addresses = addressesByName();
  const found: NetworkInterface[] = [];
  withState((state) => {
    for (const name of interfaceNames()) {
      const known = state(name);
      if (known === null) continue;
      found.push({
        name,
        ...known,
        kind: KINDS[known.hardwareType] ?? `type ${known.hardwareType}`,
        addresses: addresses.get(name) ?? [],
      });
    }
  });
  return found.sort((one, other) => one.index - other.index);
}

/** Asks the kernel where koffi can be loaded, else /sys. */
function withState(use: (state: (name: string) => InterfaceState | null) => void): void {
  let calls: Libc;
  let fd: number;
  try {
    calls = libc();
    fd = calls.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
  } catch {
    use(stateFromSys);
    return;
  }
  try {
    const probe = new InterfaceProbe(calls, fd);
    use((name) => probe.state(name));
  } finally {
    calls.close(fd);
  }
}

/**
 * Names of the interfaces of this thread's network namespace, empty where nothing tells. From /proc, which shows that
 * namespace; /sys shows the one in which it was mounted.
 */
export function interfaceNames(): string[] {
  for (const path of ['/proc/thread-self/net/dev', '/proc/net/dev']) {
    try {
      // Two lines of headings, then `  name: numbers`.
      const lines = readFileSync(path, 'utf8').split('\n').slice(2);
      return lines.map((line) => line.slice(0, line.indexOf(':')).trim()).filter((name) => name !== '');
    } catch {}
  }
  try {
    return readdirSync('/sys/class/net');
  } catch {
    return [];
  }
}

function stateFromSys(name: string): InterfaceState | null {
  const read = (field: string): number => Number(readFileSync(`/sys/class/net/${name}/${field}`, 'utf8'));
  try {
    const flags = read('flags');
    const up = (flags & 0x1) !== 0;
    const operational = readFileSync(`/sys/class/net/${name}/operstate`, 'utf8').trim();
    return {
      index: read('ifindex'),
      hardwareType: read('type'),
      up,
      running: up && (operational === 'up' || operational === 'unknown'),
      loopback: (flags & 0x8) !== 0,
      mtu: read('mtu'),
    };
  } catch {
    return null;
  }
}

function addressesByName(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [label, entries] of Object.entries(networkInterfaces())) {
    // IPv4 addresses may have a label of their own: `eth0:1`.
    const name = label.split(':')[0];
    const texts = (entries ?? []).map(({ cidr, address }) => cidr ?? address);
    found.set(name, [...(found.get(name) ?? []), ...texts]);
  }
  return found;
}
