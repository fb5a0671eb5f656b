import type { PcapngWriter } from '../export/pcapng-writer.ts';
import type { CaptureFacts, CaptureInterface, DropReport, Packet, RunClock } from '../model/packet.ts';
import type { PacketSet } from './packet-set.ts';
import type { Verdicts } from './verdict.ts';

export interface CopyOptions {
  readonly packets: PacketSet;
  readonly verdicts: Verdicts;
  readonly clock: RunClock;
  /** Interfaces with times finer than their CaptureInterface.timeDigits tell. */
  readonly fineInterfaces: ReadonlySet<number>;
}

/** Reports of drops that wait for the first chosen packet; beyond it the oldest, which is the least likely to touch it, is left out. */
const WAITING_DROPS = 1000;

/**
 * Copies the chosen ones among the packets that pass, with their times, lengths, comments and interfaces. An
 * interface is described when its first chosen packet comes; its numbers begin anew.
 */
export class PacketCopier {
  readonly #writer: PcapngWriter;
  readonly #options: CopyOptions;
  /** Number in the file by number in the run. */
  readonly #interfaces = new Map<number, number>();
  /** Before the first packet a reader of the copy has no times to compare with. */
  #waiting: DropReport[] = [];

  constructor(writer: PcapngWriter, options: CopyOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  /**
   * `facts`: of the packet's capture. Its packet comments are taken out of it as they come, so that their number
   * is not limited.
   */
  packet(packet: Packet, facts: CaptureFacts): void {
    const { packets, verdicts, clock } = this.#options;
    const { capture, number } = packet;
    if (!packets.has(capture, number)) {
      facts.comments.length = 0;
      return;
    }
    const own = facts.comments.filter((comment) => comment.packet === number).map(({ text }) => text);
    facts.comments.length = 0;
    this.#writer.packet({
      interfaceId: this.#interfaceOf(packet, facts),
      epochSeconds: clock.epochSeconds ?? 0,
      timeNs: packet.timeNs,
      bytes: packet.bytes,
      start: packet.start,
      end: packet.end,
      originalBytes: packet.originalBytes,
      comments: [...own, ...verdicts.of(capture, number)],
    });
    if (this.#waiting.length > 0) this.#takeWaiting(packet.timeNs);
  }

  /** When packets were dropped, so that exchanges are marked as they are in the whole capture. */
  drops(report: DropReport, facts: readonly CaptureFacts[]): void {
    for (const capture of facts) {
      const described = capture.interfaces.find(isNumber(report.interfaceNumber));
      if (described === undefined) continue;
      const { number: interfaceNumber, linkType } = described;
      this.#interfaceOf({ interfaceNumber, linkType }, capture);
    }
    this.#waiting.push(report);
    if (this.#writer.packets > 0) this.#takeWaiting(report.fromNs);
    else if (this.#waiting.length > WAITING_DROPS) this.#waiting.shift();
  }

  /** What was over at `sinceNs` touches nothing that comes. */
  #takeWaiting(sinceNs: number): void {
    for (const report of this.#waiting) {
      const id = this.#interfaces.get(report.interfaceNumber);
      if (id === undefined || report.toNs < sinceNs) continue;
      this.#writer.drops(id, this.#options.clock.epochSeconds ?? 0, report);
    }
    this.#waiting = [];
  }

  #interfaceOf(packet: Pick<Packet, 'interfaceNumber' | 'linkType'>, facts: CaptureFacts): number {
    const known = this.#interfaces.get(packet.interfaceNumber);
    if (known !== undefined) return known;
    const described = facts.interfaces.find(isNumber(packet.interfaceNumber));
    const id = this.#writer.addInterface(this.#describe(packet, described));
    this.#interfaces.set(packet.interfaceNumber, id);
    return id;
  }

  #describe(packet: Pick<Packet, 'interfaceNumber' | 'linkType'>, described: CaptureInterface | undefined) {
    const isFine = this.#options.fineInterfaces.has(packet.interfaceNumber);
    return {
      linkType: packet.linkType,
      snaplen: described?.snaplen ?? 0,
      name: described?.name ?? null,
      timeDigits: isFine ? 9 : (described?.timeDigits ?? 9),
    };
  }
}

const isNumber =
  (wanted: number) =>
  ({ number }: CaptureInterface): boolean =>
    number === wanted;
