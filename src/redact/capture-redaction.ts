import type { Frame } from '../decode/frame.ts';
import type { PcapngWriter } from '../export/pcapng-writer.ts';
import type { Connection, Exchange } from '../model/exchange.ts';
import type { PacketReason } from '../model/ledger.ts';
import type { CaptureFacts, DropReport, Packet, RunClock } from '../model/packet.ts';
import type { SegmentSighting, StreamConsumer } from '../model/stream.ts';
import { BodyRedactor } from './bodies.ts';
import { CaptureCopier } from './capture-copier.ts';
import { ExchangeDigest } from './exchange-digest.ts';
import { FieldRedactor } from './field-rules.ts';
import { FragmentedDatagrams } from './fragmented.ts';
import { HeadRedactor } from './heads.ts';
import { StreamLayout } from './layout.ts';
import { RedactionPlan } from './plan.ts';
import type { PlanningContext } from './planning-context.ts';
import { REDACTION_LIMITS, type RedactionLimits } from './redact-limits.ts';
import type { RedactionRules } from './rules.ts';
import { StreamPlanner } from './stream-planner.ts';
import { TargetRedactor } from './targets.ts';

/** What a run over the packets is to call; as the pipeline's observers. */
export interface RunObservers {
  onExchange?: (exchange: Exchange) => void;
  onPacket?: (packet: Packet, frame: Frame, reason: PacketReason | null) => void;
  onDrops?: (report: DropReport) => void;
  onSegment?: (sighting: SegmentSighting) => void;
  onSighting?: (sighting: SegmentSighting) => void;
  tap?: (connection: Connection) => StreamConsumer;
}

/** What a run over the packets needs to be told beside them, while it goes on. */
export interface RunFacts {
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
}

/**
 * Reads all packets once, from the first to the last, always the same. `begin` is called before the first packet
 * with facts that fill up while packets come.
 */
export type CaptureRun = (observers: RunObservers, begin?: (facts: RunFacts) => void) => Promise<void>;

/** What became of a capture. */
export interface CaptureRedaction {
  readonly packets: number;
  readonly messages: number;
  readonly planOverflowBytes: number;
  readonly fragmentedOverflow: number;
  readonly secretsOverflow: number;
  readonly uncomparedSegments: number;
  readonly before: ExchangeDigest;
}

/**
 * Writes a redacted copy of a capture. Four runs over the packets: where the messages lie; which secrets there are;
 * what every byte becomes; and the copy, written from that plan.
 *
 * @throws whatever `run` and the writer throw
 */
export async function redactCapture(
  run: CaptureRun,
  writerOf: () => PcapngWriter,
  rules: RedactionRules,
  limits: RedactionLimits = REDACTION_LIMITS,
): Promise<CaptureRedaction> {
  const layout = new StreamLayout();
  const before = new ExchangeDigest();
  await run({
    onExchange: (exchange) => {
      layout.note(exchange);
      before.note(exchange);
    },
  });
  const targets = new TargetRedactor(rules);
  const fields = new FieldRedactor(rules, targets);
  const shared = {
    rules,
    heads: new HeadRedactor(rules, targets, fields),
    bodies: new BodyRedactor(rules, targets, fields),
    layout,
    limits,
  };
  await planningRun(run, { ...shared, plan: null, structureBytes: 0 }, null);
  rules.replaced.clear();
  rules.kept.clear();
  const plan = new RedactionPlan(limits.planBytes);
  const fragments = new FragmentedDatagrams(limits.fragmentedBytes);
  const planner = await planningRun(run, { ...shared, plan, structureBytes: 0 }, fragments);
  const copier = new CaptureCopier({
    rules,
    plan,
    fragments,
    findings: planner.findings,
    writer: writerOf(),
  });
  await run(
    {
      onPacket: copier.packet,
      onDrops: copier.drops,
      onSegment: copier.segment,
      onSighting: copier.sighting,
      tap: () => SILENT,
    },
    (facts) => copier.begin(facts),
  );
  copier.finish();
  return {
    packets: copier.packets,
    messages: layout.messages,
    planOverflowBytes: plan.overflowBytes,
    fragmentedOverflow: fragments.overflow,
    secretsOverflow: rules.secrets.overflow,
    uncomparedSegments: planner.findings.uncompared,
    before,
  };
}

async function planningRun(
  run: CaptureRun,
  context: PlanningContext,
  fragments: FragmentedDatagrams | null,
): Promise<StreamPlanner> {
  const planner = new StreamPlanner(context);
  let frame: Frame | null = null;
  await run({
    tap: planner.tap,
    onPacket: (packet, at, reason) => {
      frame = at;
      if (fragments === null) return;
      if (at.bytes !== packet.bytes && reason !== 'fragment') fragments.completed(packet, at.bytes);
      else if (reason === 'fragment' && at.bytes === packet.bytes) fragments.held(packet, at);
    },
    onSegment: (sighting) => {
      const { connection, direction, offset, bytes, packet } = sighting;
      planner.segment(sighting, frame as Frame);
      if (bytes !== packet.bytes) fragments?.carries({ connection: connection.id, direction, offset });
    },
  });
  return planner;
}

const SILENT: StreamConsumer = {
  data() {},
  gap() {},
  fin() {},
  reset() {},
  anomaly() {},
  finish() {},
};
