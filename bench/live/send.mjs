// Sends classic captures out of an interface, faster than tcpreplay: many packets with each call (sendmmsg), past the
// queueing discipline. It is what asks more of a receiver than tcpreplay can.
//
//     node bench/live/send.mjs --interface NAME [--rate N] [--rounds N] [--seconds N] FILE…
//
// --rate: packets a second; as fast as it can without. --rounds: how often all files; --seconds: so long instead. Each
// round goes between other addresses and with other sequence numbers, checksums mended. Prints {packets, seconds} as JSON.
// Linux on a 64-bit little-endian processor, root.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { LINUX, libc } from '../../dist/capture/live/libc.js';

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    interface: { type: 'string' },
    rate: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string' },
  },
});

/** linux/if_packet.h */
const PACKET_QDISC_BYPASS = 20;
/** errno.h */
const EAGAIN = 11;
const EINTR = 4;
const ENOBUFS = 105;
/** Packets of one call: enough that the call costs nothing, few enough that a rate is even. */
const BATCH = 64;
/** struct iovec, struct mmsghdr of 64-bit Linux. */
const IOVEC = 16;
const MMSGHDR = 64;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const ETHERTYPE_IPV4 = 0x0800;
/** To the high half of sequence numbers, each round; odd, so that all come round before one comes again. */
const SEQUENCE_STEP = 0x1d35;

const pause = new Int32Array(new SharedArrayBuffer(4));
const koffi = createRequire(import.meta.url)('koffi');
const library = koffi.load(null);
const sendmmsg = library.func('int sendmmsg(int fd, uint64_t messages, unsigned int count, int flags)');
const mmap = library.func(
  'uint64_t mmap(void *address, size_t bytes, int protection, int flags, int fd, int64_t offset)',
);

const packets = load(files);
const fd = open(values.interface);
console.log(JSON.stringify(send()));

/** All packets, and what sendmmsg wants of them, in memory that stays where it is. */
function load(names) {
  const captures = names.map((name) => readFileSync(name));
  const bytes = captures.reduce((sum, capture) => sum + capture.length, 0);
  let count = 0;
  for (const capture of captures) for (const _ of records(capture)) count += 1;
  const size = bytes + count * (IOVEC + MMSGHDR);
  const { PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_ANONYMOUS } = LINUX;
  const address = BigInt(mmap(null, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  const view = new DataView(libc().view(address, size));
  const memory = Buffer.from(view.buffer);
  const iovecs = count * MMSGHDR;
  const starts = new Uint32Array(count);
  let at = iovecs + count * IOVEC;
  let index = 0;
  for (const capture of captures) {
    for (const { start, end } of records(capture)) {
      capture.copy(memory, at, start, end);
      const iovec = iovecs + index * IOVEC;
      view.setBigUint64(iovec, address + BigInt(at), true);
      view.setBigUint64(iovec + 8, BigInt(end - start), true);
      view.setBigUint64(index * MMSGHDR + MSG_IOV, address + BigInt(iovec), true);
      view.setBigUint64(index * MMSGHDR + MSG_IOVLEN, 1n, true);
      starts[index] = at;
      at += end - start;
      index += 1;
    }
  }
  return { address, view, count, starts };
}

function* records(capture) {
  if (capture.readUInt32LE(0) !== 0xa1b2c3d4)
    throw new Error('only classic captures, as tcpdump writes them');
  for (let at = 24; at + 16 <= capture.length; ) {
    const start = at + 16;
    const end = start + capture.readUInt32LE(at + 8);
    yield { start, end };
    at = end;
  }
}

function open(name) {
  const { AF_PACKET, SOCK_RAW, SOL_PACKET, SIOCGIFINDEX } = LINUX;
  const calls = libc();
  const socket = calls.socket(AF_PACKET, SOCK_RAW, 0);
  const request = Buffer.alloc(40);
  request.write(name, 0, 'latin1');
  calls.ioctl(socket, SIOCGIFINDEX, request);
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeInt32LE(request.readInt32LE(16), 4);
  calls.bind(socket, address);
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  calls.setOption(socket, SOL_PACKET, PACKET_QDISC_BYPASS, on);
  return socket;
}

function send() {
  const { address, count } = packets;
  const rate = values.rate === undefined ? null : Number(values.rate);
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  const rounds = values.seconds === undefined ? Number(values.rounds) : Infinity;
  const began = performance.now();
  const passed = () => (performance.now() - began) / 1000;
  let sent = 0;
  for (let round = 0; round < rounds && passed() < seconds; round += 1) {
    let renewed = 0;
    for (let at = 0; at < count; ) {
      const now = passed();
      if (now >= seconds) break;
      // What is due by now: after a pause of this process what was missed is sent at once, as tcpreplay does.
      const due = rate === null ? BATCH : Math.min(BATCH, Math.floor(now * rate) - sent);
      if (due <= 0) {
        Atomics.wait(pause, 0, 0, 0.2);
        continue;
      }
      const batch = Math.min(due, count - at);
      if (round > 0 && at >= renewed) {
        renew(at, batch);
        renewed = at + batch;
      }
      const done = sendmmsg(fd, address + BigInt(at * MMSGHDR), batch, 0);
      if (done < 0) {
        const errno = koffi.errno();
        if (errno === EAGAIN || errno === EINTR || errno === ENOBUFS) continue;
        throw new Error(`sendmmsg: errno ${errno}`);
      }
      at += done;
      sent += done;
    }
  }
  return { packets: sent, seconds: passed() };
}

/**
 * Packets from `at` on as they are in the next round: the second byte of both IPv4 addresses and all sequence numbers
 * are others, so that nothing looks like a repeat or like the same connection behind address translation.
 */
function renew(at, count) {
  const { view, starts } = packets;
  for (let index = at; index < at + count; index += 1) {
    const ip = starts[index] + 14;
    if (view.getUint16(ip - 2) !== ETHERTYPE_IPV4) continue;
    const tcp = ip + (view.getUint8(ip) & 15) * 4;
    let change = 0;
    for (const at of [ip + 12, ip + 16]) change += add(view, at, 1, 0xff);
    mend(view, ip + 10, change);
    // Of both ends by the same, so that each still acknowledges what the other has sent.
    for (const at of [tcp + 4, tcp + 8]) change += add(view, at, SEQUENCE_STEP, 0xffff);
    mend(view, tcp + 16, change);
  }
}

/** Adds to the bits of `mask` of 16 bits. What RFC 1624 adds to a checksum for it: ~m + m'. */
function add(view, at, value, mask) {
  const before = view.getUint16(at);
  const after = (before & ~mask) | ((before + value) & mask);
  view.setUint16(at, after);
  return (~before & 0xffff) + after;
}

function mend(view, at, change) {
  let sum = (~view.getUint16(at) & 0xffff) + change;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(at, ~sum & 0xffff);
}
