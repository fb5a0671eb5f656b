import type { Frame } from '../decode/frame.ts';
import type { PcapngWriter } from '../export/pcapng-writer.ts';
import type { PacketReason } from '../model/ledger.ts';
import type { CaptureInterface, DropReport, Packet } from '../model/packet.ts';
import type { SegmentSighting } from '../model/stream.ts';
import type { RunFacts } from './capture-redaction.ts';
import { FlowMemory } from './flow-memory.ts';
import type { FragmentedDatagrams } from './fragmented.ts';
import { redactedInterfaceName } from './interface-names.ts';
import { packetKey } from './packet-key.ts';
import { PacketRewriter, type PayloadSource, type StreamPlace } from './packet-rewriter.ts';
import type { RedactionPlan } from './plan.ts';
import type { RedactionRules } from './rules.ts';
import type { StreamFindings } from './stream-planner.ts';

/** Stands where a packet contradicts what was delivered; the other one where this is what was delivered. */
const CONFLICT_BYTE = 0x21;
const OTHER_CONFLICT_BYTE = 0x22;

export interface CopierParts {
  readonly rules: RedactionRules;
  readonly plan: RedactionPlan;
  readonly fragments: FragmentedDatagrams;
  readonly findings: StreamFindings;
  readonly writer: PcapngWriter;
}

/** Writes the redacted packets, in their order, into a capture; from the plan, not from what the packets hold. */
export class CaptureCopier implements PayloadSource {
  readonly #parts: CopierParts;
  readonly #rewriter: PacketRewriter;
  readonly #flows = new FlowMemory();
  /** Numbers in the copy by run-wide interface numbers. */
  readonly #interfaces = new Map<number, number>();
  #facts: RunFacts | null = null;
  #frame: Frame | null = null;
  /** Places where the present packet contradicts what was delivered; null: nowhere. */
  #conflicts: readonly number[] | null = null;
  /** Where the payload of the present packet stands, which is a further sighting; null: it is not known. */
  #sightedAt: StreamPlace | null = null;
  packets = 0;

  constructor(parts: CopierParts) {
    this.#parts = parts;
    const { rules, fragments } = parts;
    this.#rewriter = new PacketRewriter(rules.addresses, rules.replaced, this, fragments);
    fragments.use(new PacketRewriter(rules.addresses, rules.replaced, this, null));
  }

  begin(facts: RunFacts): void {
    this.#facts = facts;
  }

  /** Told of every packet; those that carry a segment are written when it is told. */
  packet = (packet: Packet, frame: Frame, reason: PacketReason | null): void => {
    this.#frame = frame;
    if (reason === null) return;
    const again = reason === 'duplicate-sighting' ? (this.#sightedAt ?? this.#flows.placeOf(frame)) : null;
    this.#sightedAt = null;
    this.#write(packet, again);
  };

  /** Told of every further sighting, right before its packet. */
  sighting = ({ connection, direction, offset }: SegmentSighting): void => {
    this.#sightedAt = { connection: connection.id, direction, offset };
  };

  /** Told of every segment, right after its packet. */
  segment = (sighting: SegmentSighting): void => {
    // Written when it was seen.
    if (sighting.late) return;
    const { connection, offset, packet } = sighting;
    const frame = this.#frame as Frame;
    const direction = this.#parts.findings.roles.directionOf(connection.id, frame);
    const place: StreamPlace = { connection: connection.id, direction, offset };
    this.#flows.note(frame, place);
    this.#write(packet, place);
  };

  /** Told of drops between the packets: when they were is no secret, and exchanges are marked by it. */
  drops = (report: DropReport): void => {
    const all = (this.#facts?.captures ?? []).flatMap(({ interfaces }) => interfaces);
    const described = all.find(({ number }) => number === report.interfaceNumber);
    if (described === undefined) return;
    this.#parts.writer.drops(this.#interface(described), this.#facts?.clock.epochSeconds ?? 0, report);
  };

  payload(place: StreamPlace, skip: number, length: number, target: Uint8Array, at: number): void {
    const offset = place.offset + skip;
    this.#parts.plan.write(place.connection, place.direction, offset, length, target, at);
    if (this.#conflicts === null) return;
    for (const conflict of this.#conflicts) {
      const index = at + conflict - offset;
      if (index >= at && index < at + length)
        target[index] = target[index] === CONFLICT_BYTE ? OTHER_CONFLICT_BYTE : CONFLICT_BYTE;
    }
  }

  /** Describes interfaces without packets, and what the kernel counted. */
  finish(): void {
    const { writer } = this.#parts;
    for (const { interfaces } of this.#facts?.captures ?? [])
      for (const one of interfaces) writer.statistics(this.#interface(one), one);
    writer.finish();
  }

  #write(packet: Packet, place: StreamPlace | null): void {
    this.#conflicts = this.#parts.findings.conflicts.get(packetKey(packet)) ?? null;
    const bytes = this.#rewriter.rewrite(packet, place);
    this.packets += 1;
    this.#parts.writer.packet({
      interfaceId: this.#interfaceOf(packet),
      epochSeconds: this.#facts?.clock.epochSeconds ?? 0,
      timeNs: packet.timeNs,
      bytes,
      start: 0,
      end: bytes.length,
      originalBytes: packet.originalBytes,
    });
  }

  #interfaceOf(packet: Packet): number {
    const known = this.#interfaces.get(packet.interfaceNumber);
    if (known !== undefined) return known;
    const { interfaces } = this.#facts!.captures[packet.capture]!;
    return this.#interface(interfaces.find(({ number }) => number === packet.interfaceNumber)!);
  }

  #interface({ number, linkType, snaplen, name, timeDigits }: CaptureInterface): number {
    let id = this.#interfaces.get(number);
    if (id === undefined) {
      const shown = redactedInterfaceName(name, this.#parts.rules);
      id = this.#parts.writer.addInterface({ linkType, snaplen, name: shown, timeDigits });
      this.#interfaces.set(number, id);
    }
    return id;
  }
}
