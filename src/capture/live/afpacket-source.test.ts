import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile } from '../../../fixtures/build/capture-file.ts';
import { readPaths } from '../../../test/capture-reading.ts';
import { capture, closeCaptures, tcpdump } from '../../../test/live-capture.ts';
import { Namespace, namespacesMissing } from '../../../test/live-namespace.ts';
import { interfaceProgram } from '../packet-filter/socket-program.ts';

const missing = namespacesMissing('tcpreplay', 'tcpdump', 'python3');
let namespace: Namespace;
let folder = '';

/** An Ethernet frame of IPv4 and UDP, whose payload says its number; with a VLAN tag in front of IPv4 when `vlan` is given. */
function frame(number: number, bytes = 100, vlan: string = ''): Buffer {
  const head = Buffer.from(`020000000002020000000001${vlan}0800`, 'hex');
  const ip = Buffer.alloc(28 + bytes, number & 0xff);
  Buffer.from('450000000000000040110000', 'hex').copy(ip);
  ip.writeUInt16BE(ip.length, 2);
  ip.writeUInt32BE(0x0a000001, 12);
  ip.writeUInt32BE(0x0a000002, 16);
  ip.writeUInt16BE(1000, 20);
  ip.writeUInt16BE(2000, 22);
  ip.writeUInt16BE(8 + bytes, 24);
  ip.writeUInt16BE(0, 26);
  ip.writeUInt32BE(number, 28);
  return Buffer.concat([head, ip]);
}

function send(from: string, frames: readonly Buffer[], ...words: string[]): void {
  const file = path.join(folder, 'sent.pcap');
  writeFileSync(file, pcapFile(frames.map((one) => ({ timeNs: 0n, frame: one }))));
  namespace.run('tcpreplay', `--intf1=${from}`, '--topspeed', '--quiet', ...words, file);
}

/** Sends two datagrams through the loopback. */
const TO_ITSELF = `
import socket
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(('127.0.0.1', 0))
for text in (b'one', b'two'):
    own.sendto(text, own.getsockname())
`;

/** A tun interface that receives each packet that is written to the program in hexadecimal. */
function tunnel(name: string): ChildProcess {
  const program = `
import fcntl, os, struct, subprocess, sys
tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH', b'${name}', 0x1001))
subprocess.run(['ip', 'link', 'set', '${name}', 'up'], check=True)
for line in sys.stdin:
    os.write(tun, bytes.fromhex(line))
`;
  const [command, ...rest] = namespace.command('python3', '-c', program);
  return spawn(command as string, rest, { stdio: ['pipe', 'ignore', 'inherit'] });
}

async function recorded(file: string): Promise<{ bytes: string; originalBytes: number }[]> {
  const { packets } = await readPaths([file]);
  return packets.map((packet) => ({
    bytes: Buffer.from(packet.frame).toString('hex'),
    originalBytes: packet.originalBytes,
  }));
}

const contents = (packets: readonly { bytes: string; originalBytes: number }[]) =>
  packets.map(({ bytes, originalBytes }) => ({ bytes, originalBytes }));

describe('packets of a real ring', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
    namespace = new Namespace();
    folder = mkdtempSync(path.join(tmpdir(), 'wirelens-ring-'));
  });
  afterEach(async () => {
    if (missing !== null) return;
    await closeCaptures();
    namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are those that were sent, and byte by byte what tcpdump records', async () => {
    namespace.veth('out', 'in');
    const sent = [...Array(50).keys()].map((number) => frame(number, 20 + 20 * number));
    const other = await tcpdump(namespace, path.join(folder, 'dump.pcap'), sent.length, '-i', 'in');
    const live = await capture(namespace, ['in']);
    const before = Date.now();
    send('out', sent);
    await live.until(() => live.packets.length >= sent.length);
    await live.stop();
    await other.ended;
    expect(live.packets.map(({ bytes }) => bytes)).toEqual(sent.map((one) => one.toString('hex')));
    expect(contents(live.packets)).toEqual(await recorded(path.join(folder, 'dump.pcap')));
    const { facts, counters } = live.source;
    expect(facts[0]).toMatchObject({ format: 'live', path: 'in', packets: 50, timeReversals: 0 });
    expect(facts[0]?.interfaces).toEqual([
      expect.objectContaining({
        name: 'in',
        linkType: 1,
        timeDigits: 9,
        packets: 50,
        received: 50,
        dropped: 0,
      }),
    ]);
    expect(counters).toMatchObject({ received: 50, dropped: 0, ringUsedBytes: 0 });
    // The kernel's clock is this machine's: the packets fall between sending and now.
    for (const { timeNs } of live.packets) {
      const ms = ((live.clock.epochSeconds as number | null) ?? 0) * 1000 + timeNs / 1e6;
      expect(ms).toBeGreaterThanOrEqual(before - 1);
      expect(ms).toBeLessThanOrEqual(Date.now() + 1);
    }
    await live.source.close();
  });

  it('have their VLAN tags back, one or two, as they were sent', async () => {
    namespace.veth('out', 'in');
    const sent = [frame(1, 50, '81006064'), frame(2, 50, '88a80005810000c8'), frame(3, 50)];
    const other = await tcpdump(namespace, path.join(folder, 'dump.pcap'), sent.length, '-i', 'in');
    const live = await capture(namespace, ['in']);
    send('out', sent);
    await live.until(() => live.packets.length >= 3);
    await live.stop();
    await other.ended;
    expect(live.packets.map(({ bytes }) => bytes)).toEqual(sent.map((one) => one.toString('hex')));
    expect(contents(live.packets)).toEqual(await recorded(path.join(folder, 'dump.pcap')));
    await live.source.close();
  });

  it('are cut to the snaplen, with their length on the wire', async () => {
    namespace.veth('out', 'in');
    const sent = [frame(1, 500), frame(2, 4, '81000005')];
    const live = await capture(namespace, ['in'], { snaplen: 48 });
    send('out', sent);
    await live.until(() => live.packets.length >= 2);
    await live.stop();
    expect(contents(live.packets)).toEqual(
      sent.map((one) => ({ bytes: one.subarray(0, 48).toString('hex'), originalBytes: one.length })),
    );
    await live.source.close();
  });

  it('of all interfaces have a cooked header as tcpdump writes it, and an entry for each interface', async () => {
    namespace.veth('out', 'in');
    namespace.ip('link set lo up');
    const other = await tcpdump(
      namespace,
      path.join(folder, 'dump.pcap'),
      8,
      '-i',
      'any',
      '-y',
      'LINUX_SLL2',
    );
    const live = await capture(namespace, ['any']);
    send('out', [frame(1), frame(2)]);
    // An interface that comes while it runs; and a loopback, whose copies are left out.
    namespace.veth('later', 'late');
    send('later', [frame(3)]);
    namespace.run('python3', '-c', TO_ITSELF);
    await live.until(() => live.packets.length >= 8);
    await live.stop();
    await other.ended;
    expect(live.packets.map(({ interfaceName }) => interfaceName).sort()).toEqual([
      'in',
      'in',
      'late',
      'later',
      'lo',
      'lo',
      'out',
      'out',
    ]);
    expect(new Set(live.packets.map(({ linkType }) => linkType))).toEqual(new Set([276]));
    const sorted = (packets: readonly { bytes: string; originalBytes: number }[]) =>
      contents(packets).sort((a, b) => (a.bytes < b.bytes ? -1 : 1));
    expect(sorted(live.packets)).toEqual(sorted(await recorded(path.join(folder, 'dump.pcap'))));
    await live.source.close();
  });

  it('of several interfaces are theirs only; one with a tag has it behind the cooked header', async () => {
    for (const number of [1, 2, 3]) namespace.veth(`out${number}`, `in${number}`);
    const live = await capture(namespace, ['in1', 'in3']);
    for (const number of [1, 2, 3]) send(`out${number}`, [frame(number, 50, '81000007')]);
    await live.until(() => live.packets.length >= 2);
    await live.stop();
    expect(live.packets.map(({ interfaceName }) => interfaceName)).toEqual(['in1', 'in3']);
    expect(live.source.facts[0]?.interfaces.map(({ name, packets }) => [name, packets])).toEqual([
      ['in1', 1],
      ['in3', 1],
    ]);
    // Protocol 802.1Q, …, then the tag, IPv4, and the packet.
    const [first] = live.packets;
    expect(first?.bytes.slice(0, 4)).toBe('8100');
    expect(first?.bytes.slice(40)).toBe(`00070800${frame(1, 50).subarray(14).toString('hex')}`);
    expect(first?.originalBytes).toBe(20 + 4 + frame(1, 50).length - 14);
    await live.source.close();
  });

  it('of an interface without Ethernet have a cooked header', async () => {
    namespace.ip('tuntap add dev tun7 mode tun');
    namespace.ip('link set tun7 up');
    const live = await capture(namespace, ['tun7']);
    expect(live.source.packet.linkType).toBe(276);
    live.source.stop();
    await live.ended;
    expect(live.source.facts[0]?.interfaces).toEqual([
      expect.objectContaining({ name: 'tun7', linkType: 276, packets: 0 }),
    ]);
    await live.source.close();
  });

  it('go on when the interface was deleted and made again; it is told once each way', async () => {
    namespace.veth('out', 'in');
    const live = await capture(namespace, ['in']);
    send('out', [frame(1)]);
    await live.until(() => live.packets.length >= 1);
    for (const round of [2, 3]) {
      namespace.ip('link del in');
      await live.until(() =>
        live.notices.some(({ code }, index) => code === 'interface-gone' && index >= (round - 2) * 2),
      );
      namespace.veth('out', 'in');
      await live.until(
        () => live.notices.filter(({ code }) => code === 'interface-back').length === round - 1,
      );
      send('out', [frame(round)]);
      await live.until(() => live.packets.length >= round);
    }
    await live.stop();
    expect(live.packets.map(({ bytes }) => bytes)).toEqual(
      [1, 2, 3].map((number) => frame(number).toString('hex')),
    );
    const codes = live.notices.map(({ code }) => code).filter((code) => code.startsWith('interface-'));
    expect(codes).toEqual(['interface-gone', 'interface-back', 'interface-gone', 'interface-back']);
    expect(live.source.facts[0]?.interfaces).toEqual([
      expect.objectContaining({ name: 'in', packets: 3, received: 3, dropped: 0 }),
    ]);
    await live.source.close();
  });

  it('go on when the interface comes back as another kind, with another link type', async () => {
    namespace.veth('out', 'in');
    // The new socket is opened later, and belongs where the thread is then.
    const leave = namespace.goIn();
    try {
      const live = await capture(namespace, ['in']);
      send('out', [frame(1)]);
      await live.until(() => live.packets.length >= 1);
      namespace.ip('link del in');
      await live.until(() => live.notices.some(({ code }) => code === 'interface-gone'));
      const sender = tunnel('in');
      await live.until(() => live.notices.some(({ code }) => code === 'link-type-changed'));
      sender.stdin?.write(`${frame(2).subarray(14).toString('hex')}\n`);
      await live.until(() => live.packets.length >= 2);
      sender.stdin?.end();
      await live.stop();
      const [first, second] = live.packets;
      expect(first).toMatchObject({ linkType: 1, bytes: frame(1).toString('hex') });
      expect(second?.linkType).toBe(276);
      // IPv4, … from an interface without hardware type.
      expect(second?.bytes.slice(0, 8)).toBe('08000000');
      expect(second?.bytes.slice(16, 20)).toBe('fffe');
      expect(second?.bytes.slice(40)).toBe(frame(2).subarray(14).toString('hex'));
      expect(live.source.facts[0]?.interfaces).toEqual([
        expect.objectContaining({ name: 'in', linkType: 1, packets: 1, received: 2, dropped: 0 }),
        expect.objectContaining({ name: 'in', linkType: 276, packets: 1, received: null, dropped: null }),
      ]);
    } finally {
      leave();
    }
  });

  it('of one of several interfaces go on too when that is made again, under its new index', async () => {
    namespace.veth('out', 'in');
    namespace.veth('out2', 'in2');
    const live = await capture(namespace, ['in', 'in2']);
    namespace.ip('link del in');
    await live.until(() => live.notices.some(({ code }) => code === 'interface-gone'));
    send('out2', [frame(1)]);
    namespace.veth('out', 'in');
    await live.until(() => live.notices.some(({ code }) => code === 'interface-back'));
    send('out', [frame(2)]);
    await live.until(() => live.packets.length >= 2);
    await live.stop();
    expect(live.packets.map(({ interfaceName }) => interfaceName)).toEqual(['in2', 'in']);
    await live.source.close();
  });

  it('of all interfaces are counted where they belong when interfaces come, go and swap indexes; it is told', async () => {
    namespace.veth('out', 'in');
    const live = await capture(namespace, ['any']);
    const told = () => live.notices.map(({ text }) => text);
    const round = async (from: string, number: number): Promise<void> => {
      const already = live.packets.length;
      send(from, [frame(number)]);
      await live.until(() => live.packets.length >= already + 2);
    };
    const indexOf = (name: string): string => namespace.run('cat', `/sys/class/net/${name}/ifindex`).trim();
    await round('out', 1);
    const [outIndex, inIndex] = [indexOf('out'), indexOf('in')];
    namespace.ip('link del in');
    await live.until(() => told().includes('in is gone') && told().includes('out is gone'));
    // Another pair on the indexes of the first.
    namespace.ip(`link add name far index ${outIndex} type veth peer name near index ${inIndex}`);
    for (const name of ['far', 'near']) namespace.ip(`link set ${name} up`);
    await live.until(() => namespace.run('ip', 'link', 'show', 'near').includes('state UP'));
    await round('far', 2);
    namespace.veth('out', 'in');
    await live.until(() => live.notices.filter(({ code }) => code === 'interface-back').length === 2);
    await round('out', 3);
    await live.stop();
    expect(live.source.facts[0]?.interfaces.map(({ name, packets }) => [name, packets]).sort()).toEqual([
      ['far', 1],
      ['in', 2],
      ['near', 1],
      ['out', 2],
    ]);
    expect(told().sort()).toEqual([
      'far is new, and gives packets',
      `in is back with another index (${indexOf('in')}, it was ${inIndex})`,
      'in is gone',
      'near is new, and gives packets',
      `out is back with another index (${indexOf('out')}, it was ${outIndex})`,
      'out is gone',
    ]);
    await live.source.close();
  });

  it('of a link that goes down and up again go on; both is told', async () => {
    namespace.veth('out', 'in');
    const live = await capture(namespace, ['in']);
    namespace.ip('link set in down');
    await live.until(() => live.notices.some(({ code }) => code === 'link-down'));
    namespace.ip('link set in up');
    await live.until(() => live.notices.some(({ code }) => code === 'link-up'));
    send('out', [frame(1)]);
    await live.until(() => live.packets.length >= 1);
    await live.stop();
    expect(live.notices.map(({ code }) => code)).toEqual(['link-down', 'link-up']);
    await live.source.close();
  });

  it('that the kernel has when the capture is stopped still come, those of its open block too', async () => {
    namespace.veth('out', 'in');
    const live = await capture(namespace, ['in'], { tickMs: 60_000 });
    send('out', [frame(1), frame(2), frame(3)]);
    // No time for the kernel to hand over the block; and the reader waits.
    await live.stop();
    expect(live.packets.length).toBe(3);
    expect(live.source.stopped).toBe(true);
    send('out', [frame(4)]);
    expect(await live.source.more()).toBe(false);
    expect(live.source.next()).toBe(false);
    await live.source.close();
    await live.source.close();
    expect(live.source.packet.bytes.length).toBe(0);
    expect(live.source.next()).toBe(false);
  });

  it('can be given up in the middle of everything', async () => {
    namespace.veth('out', 'in');
    const live = await capture(namespace, ['in'], { tickMs: 60_000 });
    const { bytes } = live.source.packet;
    send('out', [frame(1)]);
    await live.source.close();
    await live.ended;
    expect(live.source.next()).toBe(false);
    // Whoever still holds the ring's bytes reads zeros, where the mapping was.
    expect(bytes.length).toBe(4 * 1024 * 1024);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('are all received or counted as dropped, 200,000 as fast as they can be sent', async () => {
    namespace.veth('out', 'in');
    const sent = [...Array(1000).keys()].map((number) => frame(number, 60));
    const live = await capture(namespace, ['in'], { ringBytes: 64 * 1024 * 1024 });
    send('out', sent, '--loop=200', '--preload-pcap');
    await live.stop();
    const { received, dropped } = live.source.counters;
    expect(received).toBe(200_000);
    expect(live.packets.length + (dropped ?? 0)).toBe(200_000);
    expect(dropped).toBe(0);
    expect(live.source.facts[0]?.packets).toBe(live.packets.length);
    await live.source.close();
  });

  it('that find the ring full are counted, and the others are whole', async () => {
    namespace.veth('out', 'in');
    const sent = [...Array(1000).keys()].map((number) => frame(number, 1400));
    const all = new Set(sent.map((one) => one.toString('hex')));
    const live = await capture(namespace, ['in'], { ringBytes: 1024 * 1024 });
    // The reader sits in the same thread, so it cannot read while tcpreplay runs.
    send('out', sent, '--loop=5');
    await live.stop();
    const { received, dropped, freezes } = live.source.counters;
    expect(dropped).toBeGreaterThan(0);
    expect(freezes).toBeGreaterThan(0);
    expect(received).toBe(5000);
    expect(live.packets.length + (dropped ?? 0)).toBe(5000);
    for (const { bytes } of live.packets) expect(all.has(bytes)).toBe(true);
    await live.source.close();
  });

  it('are filtered before any is taken; where the kernel cannot, each is looked at', async () => {
    namespace.veth('out', 'in');
    const even = (bytes: Uint8Array, start: number) => (bytes[start + 14 + 31] ?? 0) % 2 === 0;
    const filter = {
      text: 'even',
      expression: null,
      accepts: (bytes: Uint8Array, start: number) => even(bytes, start),
    };
    const sent = [1, 2, 3, 4].map((number) => frame(number));
    // In the kernel: nothing at all passes. It is attached before the socket is bound.
    const none = await capture(namespace, ['in'], {
      filter: { ...filter, kernelProgram: () => interfaceProgram([], 100) },
    });
    const some = await capture(namespace, ['in'], { filter: { ...filter, kernelProgram: () => null } });
    send('out', sent);
    await some.until(() => some.packets.length >= 2);
    await none.stop();
    await some.stop();
    expect(none.packets).toEqual([]);
    expect(none.source.counters.received).toBe(0);
    expect(some.packets.map(({ bytes }) => bytes)).toEqual(
      [sent[1], sent[3]].map((one) => one?.toString('hex')),
    );
    expect(some.source.counters).toMatchObject({ received: 2, dropped: 0 });
    expect(some.notices.map(({ code }) => code)).toEqual(['filter-in-wirelens']);
    await none.source.close();
    await some.source.close();
  });

  it('of a name that does not exist: the error lists those that do', async () => {
    namespace.veth('out', 'in');
    await expect(capture(namespace, ['in', 'nothere'])).rejects.toMatchObject({
      code: 'no-such-interface',
      message: 'there is no interface nothere',
      hint: 'there are lo, in, out, any',
    });
  });
});
