/**
 * One captured packet: a window into bytes that belong to the packet source.
 *
 * The record is reused. Its fields are valid until the source's next `next()` or `more()`;
 * whoever needs bytes for longer copies them.
 */
export interface Packet {
  /** Block the packet lies in. Owned by the source, never written by a reader of packets. */
  bytes: Uint8Array;
  /** First captured byte, an offset into `bytes`. */
  start: number;
  /** One past the last captured byte. */
  end: number;
  /** Length on the wire in bytes; greater than `end - start` when the snaplen cut the packet. */
  originalBytes: number;
  /** Capture time in nanoseconds since the run's epoch (see RunClock). May be negative. */
  timeNs: number;
  /** LINKTYPE_ number that says what the first byte means. */
  linkType: number;
  /** Index of the capture in the run, in the order given on the command line. */
  capture: number;
  /** Interface number, unique over all captures of the run. */
  interfaceNumber: number;
  /** 1-based number in its capture, as Wireshark counts frames. */
  number: number;
}

export function emptyPacket(): Packet {
  return {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    originalBytes: 0,
    timeNs: 0,
    linkType: 0,
    capture: 0,
    interfaceNumber: 0,
    number: 0,
  };
}

/** That the capturing side dropped packets within `(fromNs, toNs]`, ns since the run's epoch. */
export interface DropReport {
  /** Of the interface whose counter says so; the kernel counts for all interfaces of a socket together. */
  readonly interfaceNumber: number;
  readonly fromNs: number;
  readonly toNs: number;
  /** Packets that the counter had counted at either end. */
  readonly droppedBefore: number;
  readonly dropped: number;
}

/**
 * Where packets come from. Pull shaped, so that several sources can be merged by time:
 *
 *     do { while (source.next()) use(source.packet); } while (await source.more());
 */
export interface PacketSource {
  /** The current packet; reused by every call of `next`. */
  readonly packet: Packet;
  /** Steps to the next packet among the bytes at hand. False: call `more`. */
  next(): boolean;
  /** Brings further bytes. False: the source has ended, `facts` are final. */
  more(): Promise<boolean>;
  /** What is known of each capture so far, by `Packet.capture`. The same objects all the time, true after each `more`. */
  readonly facts: readonly CaptureFacts[];
  /**
   * Set by who wants to know of drops; null: nobody does. `next` and `more` call it where the packets stand: those before
   * have been given out, those after have not.
   */
  onDrops: ((report: DropReport) => void) | null;
  /** Gives back files and buffers. May be called at any time, also twice. */
  close(): Promise<void>;
}

/** `live`: no file, packets as they happen. */
export type CaptureFormat = 'pcap' | 'pcapng' | 'live';
export type Compression = 'none' | 'gzip' | 'zstd';

/** What a capture says about itself, beside its packets. */
export interface CaptureFacts {
  /** As given by the user; `-` for standard input. */
  path: string;
  format: CaptureFormat;
  compression: Compression;
  byteOrder: 'little' | 'big';
  /** Packets read so far. */
  packets: number;
  /** Captured packet bytes read so far (headers of the file format not counted). */
  capturedBytes: number;
  /** Packet bytes on the wire. */
  originalBytes: number;
  /** Bytes of the capture itself read so far, after decompression. */
  fileBytes: number;
  /** Time of the earliest and latest packet, ns since the run's epoch; null while there is none. */
  firstNs: number | null;
  lastNs: number | null;
  interfaces: CaptureInterface[];
  /** Comments of sections, interfaces and packets, bounded by LIMITS.captureComments. */
  comments: CaptureComment[];
  /** Comments beyond that limit. */
  commentsDropped: number;
  /** pcapng blocks that carry no packet and are not understood, by block type (hexadecimal). */
  skippedBlocks: Record<string, number>;
  /** Packets whose time is earlier than their predecessor's in the same capture. */
  timeReversals: number;
  /** Set when the capture ended or broke before its end; what came before was used. */
  damage: CaptureDamage | null;
}

export interface CaptureInterface {
  /** Unique over the run; `Packet.interfaceNumber` refers to it. */
  number: number;
  /** Interface name (pcapng if_name), or null. */
  name: string | null;
  linkType: number;
  /** 0: no limit stated. */
  snaplen: number;
  /** Digits after the second in its time stamps: 6 for microseconds, 9 for nanoseconds. */
  timeDigits: number;
  packets: number;
  /** Kernel's counters from an interface statistics block; null where the capture has none. */
  received: number | null;
  dropped: number | null;
}

export interface CaptureComment {
  scope: 'section' | 'interface' | 'packet';
  /** Packet number for packet comments, else null. */
  packet: number | null;
  text: string;
}

export interface CaptureDamage {
  /** One sentence: what is wrong. */
  what: string;
  /** Last whole packet before the damage (0: none). */
  packet: number;
  /** Offset into the (decompressed) capture at which reading stopped. */
  byteOffset: number;
}

/**
 * The run's epoch: the first packet's whole second, in Unix seconds. Times inside the program are
 * nanoseconds since then, exact for 104 days without a BigInt. All captures of a run share one clock.
 */
export interface RunClock {
  epochSeconds: number | null;
}
