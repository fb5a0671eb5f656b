import { randomInt } from 'node:crypto';
import { type BpfInstruction, encodeProgram } from '../packet-filter/bpf.ts';
import { type DescriptorWatch, LINUX, type Libc, LibcError } from './libc.ts';
import { BLOCK, BLOCK_IS_OURS, BLOCK_TIMED_OUT, BlockWalker } from './tpacket.ts';

/** linux/if_packet.h. */
const PACKET = {
  addMembership: 1,
  rxRing: 5,
  statistics: 6,
  version: 10,
  fanout: 18,
} as const;
const TPACKET_V3 = 2;
const MEMBERSHIP_PROMISCUOUS = 1;
const FANOUT_HASH = 0;
const LARGEST_GROUP = 0xffff;
const FANOUT_FLAG_DEFRAG = 0x8000;
/** The kernel chooses a number that no other group has, since Linux 4.12. */
const FANOUT_FLAG_UNIQUE = 0x2000;
/** Only its divisibility matters to version 3: blocks must be multiples of it. */
const FRAME_BYTES = 2048;
const ERROR_PAUSE_MS = 5;

export interface RingShape {
  /** Frames with their link header (SOCK_RAW), or from the network header on (SOCK_DGRAM). */
  readonly raw: boolean;
  /** A power of two, at least a page. A packet is cut to what fits into a block. */
  readonly blockBytes: number;
  readonly blocks: number;
  /** Time after which the kernel hands over a block that is not full. */
  readonly retireMs: number;
}

/** Counts of a socket since it was opened. */
export interface RingCounts {
  received: number;
  dropped: number;
  freezes: number;
}

/**
 * A packet socket and its ring. Opened, it takes nothing: a filter is attached first, `bind` lets packets in.
 * The kernel fills blocks in turn; so does the reader take them.
 */
export class RingSocket {
  readonly shape: RingShape;
  readonly walker: BlockWalker;
  readonly counts: RingCounts = { received: 0, dropped: 0, freezes: 0 };
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #address: bigint;
  readonly #words: Int32Array;
  readonly #statistics = new Uint32Array(3);
  readonly #statisticsBytes = new Uint8Array(this.#statistics.buffer);
  #wake: (() => void) | null = null;
  #current = 0;
  #holds = false;
  #closed = false;

  /** Throws LibcError: EPERM without the right, ENOPROTOOPT or EINVAL without version 3, ENOMEM. */
  constructor(libc: Libc, shape: RingShape) {
    this.#libc = libc;
    this.shape = shape;
    const type = shape.raw ? LINUX.SOCK_RAW : LINUX.SOCK_DGRAM;
    // Protocol 0: nothing is taken before it is bound to one.
    const fd = libc.socket(LINUX.AF_PACKET, type | LINUX.SOCK_CLOEXEC, 0);
    this.#fd = fd;
    try {
      this.#set(PACKET.version, [TPACKET_V3]);
      const { blockBytes, blocks, retireMs } = shape;
      const ringBytes = blockBytes * blocks;
      // struct tpacket_req3.
      this.#set(PACKET.rxRing, [blockBytes, blocks, FRAME_BYTES, ringBytes / FRAME_BYTES, retireMs, 0, 0]);
      this.#address = libc.map(fd, ringBytes);
      const ring = libc.view(this.#address, ringBytes);
      this.#words = new Int32Array(ring);
      this.walker = new BlockWalker(ring);
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }

  get ringBytes(): number {
    return this.shape.blockBytes * this.shape.blocks;
  }

  /** Replaces the filter; the packets after this call pass the new one. */
  attach(program: readonly BpfInstruction[]): void {
    this.#libc.attachFilter(this.#fd, encodeProgram(program));
  }

  /** Lets packets of an interface in, of all when 0. */
  bind(interfaceIndex: number): void {
    // struct sockaddr_ll; the protocol in network order.
    const bytes = new Uint8Array(20);
    const view = new DataView(bytes.buffer);
    new Uint16Array(bytes.buffer)[0] = LINUX.AF_PACKET;
    view.setUint16(2, LINUX.ETH_P_ALL);
    new Int32Array(bytes.buffer)[1] = interfaceIndex;
    this.#libc.bind(this.#fd, bytes);
  }

  /** Keeps the interface in promiscuous mode while this socket is open. */
  promiscuous(interfaceIndex: number): void {
    // struct packet_mreq.
    const bytes = new Uint8Array(16);
    new Int32Array(bytes.buffer)[0] = interfaceIndex;
    new Uint16Array(bytes.buffer)[2] = MEMBERSHIP_PROMISCUOUS;
    this.#libc.setOption(this.#fd, LINUX.SOL_PACKET, PACKET.addMembership, bytes);
  }

  /**
   * Shares the packets with the other sockets of a group (0 to 65535) that are bound alike: each gets whole
   * connections, both directions, fragments put together before. To be called after `bind`. null: begins a group of its
   * own. Returns the group's number.
   */
  joinFanout(group: number | null): number {
    const flags = FANOUT_HASH | FANOUT_FLAG_DEFRAG;
    if (group !== null) {
      this.#set(PACKET.fanout, [group | (flags << 16)]);
      return group;
    }
    try {
      this.#set(PACKET.fanout, [(flags | FANOUT_FLAG_UNIQUE) << 16]);
    } catch (error) {
      if (!(error instanceof LibcError) || error.code !== 'EINVAL') throw error;
      return this.joinFanout(randomInt(LARGEST_GROUP + 1));
    }
    const answer = new Uint32Array(1);
    this.#libc.getOption(this.#fd, LINUX.SOL_PACKET, PACKET.fanout, new Uint8Array(answer.buffer));
    return answer[0] & LARGEST_GROUP;
  }

  #set(name: number, words: readonly number[]): void {
    const bytes = new Uint8Array(new Uint32Array(words).buffer);
    this.#libc.setOption(this.#fd, LINUX.SOL_PACKET, name, bytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Has the kernel handed over the next block? Without a system call. */
  get ready(): boolean {
    return !this.#closed && (this.#status(this.#current) & BLOCK_IS_OURS) !== 0;
  }

  /** Blocks that are handed over and not given back, the one being read among them. */
  get usedBlocks(): number {
    if (this.#closed) return 0;
    const { blocks } = this.shape;
    let used = 0;
    while (used < blocks && (this.#status((this.#current + used) % blocks) & BLOCK_IS_OURS) !== 0) used += 1;
    return used;
  }

  /** Is there nothing in the block that the kernel is filling? It counts packets there as it puts them in. */
  get empty(): boolean {
    if (this.#closed) return true;
    const word = (this.#current * this.shape.blockBytes) >>> 2;
    return !this.ready && Atomics.load(this.#words, word + (BLOCK.packets >>> 2)) === 0;
  }

  /**
   * The walker stands before the first packet of the next block, which must be ready. True: it was full, so packets
   * come faster than a block's time.
   */
  take(): boolean {
    const { blockBytes } = this.shape;
    this.#holds = true;
    this.walker.begin(this.#current * blockBytes, blockBytes);
    return (this.#status(this.#current) & BLOCK_TIMED_OUT) === 0;
  }

  /** Gives the block that was taken back to the kernel, if one was. */
  giveBack(): void {
    if (!this.#holds || this.#closed) return;
    this.#holds = false;
    this.walker.finish();
    const word = (this.#current * this.shape.blockBytes) >>> 2;
    // For `empty`: the kernel does the same, but only when it opens the block.
    Atomics.store(this.#words, word + (BLOCK.packets >>> 2), 0);
    Atomics.store(this.#words, word + (BLOCK.status >>> 2), 0);
    this.#current = (this.#current + 1) % this.shape.blocks;
  }

  #status(block: number): number {
    return Atomics.load(this.#words, (block * this.shape.blockBytes + BLOCK.status) >>> 2);
  }

  /** Brings `counts` up to date. */
  count(): void {
    if (this.#closed) return;
    const { counts } = this;
    // struct tpacket_stats_v3; reading sets it to 0. The first count has the dropped ones in it.
    this.#libc.getOption(this.#fd, LINUX.SOL_PACKET, PACKET.statistics, this.#statisticsBytes);
    const [received, dropped, freezes] = this.#statistics;
    counts.received += received;
    counts.dropped += dropped;
    counts.freezes += freezes;
  }

  /**
   * Resolves when a block is ready, when `wake` is called, when the socket has an error (true), or after `timeoutMs`.
   */
  wait(timeoutMs: number): Promise<boolean> {
    return this.#sleep(timeoutMs, true);
  }

  /** Resolves after `ms` or when `wake` is called. */
  rest(ms: number): Promise<boolean> {
    return this.#sleep(ms, false);
  }

  #sleep(ms: number, untilReady: boolean): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      let failed = false;
      // Made for each wait: a thread that ends with a watch that is not closed brings the process down.
      let watch: DescriptorWatch | null = null;
      const done = (): void => {
        if (this.#wake !== done) return;
        this.#wake = null;
        clearTimeout(timer);
        watch?.close();
        resolve(failed);
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
      if (!untilReady) return;
      watch = this.#libc.watch(this.#fd, (status) => {
        watch?.stop();
        failed = status < 0;
        if (!failed) {
          // Promises do not go on after a callback that koffi makes, but they do after one of Node.
          setImmediate(done);
          return;
        }
        // An error that stays must not keep the program busy.
        this.#clearError();
        setTimeout(done, Math.min(ms, ERROR_PAUSE_MS));
      });
    });
  }

  /** Ends a wait. */
  wake(): void {
    this.#wake?.();
  }

  #clearError(): void {
    if (this.#closed) return;
    this.#libc.getOption(this.#fd, LINUX.SOL_SOCKET, LINUX.SO_ERROR, new Uint8Array(4));
  }

  /** Lets ring and socket go. The walker's bytes are zeros from now on. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.walker.finish();
    // A watch is closed before its descriptor.
    this.wake();
    this.#libc.replaceWithZeros(this.#address, this.ringBytes);
    this.#libc.close(this.#fd);
  }
}
