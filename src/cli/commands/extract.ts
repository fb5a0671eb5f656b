import { openCaptures } from '../../capture/open.ts';
import { PcapngWriter } from '../../export/pcapng-writer.ts';
import { PacketChooser } from '../../extract/chooser.ts';
import { PacketCopier } from '../../extract/copy.ts';
import { type ConnectionPlan, Survey, takeMore } from '../../extract/plan.ts';
import { Verdicts } from '../../extract/verdict.ts';
import { Verification } from '../../extract/verification.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { CaptureFacts, DropReport, Packet, RunClock } from '../../model/packet.ts';
import { Pipeline } from '../../pipeline.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes, formatCount } from '../../report/units.ts';
import { type CaptureOutput, openCaptureOutput } from '../capture-output.ts';
import { type ExchangeIds, separateIds } from '../exchange-ids.ts';
import {
  type ExtractFlags,
  type ExtractTask,
  extractFromCaptures,
  extractFromStore,
} from '../extract-task.ts';
import { closeReading, type Reading, type ReadingFlags, readExchanges, stopOnSignals } from '../reading.ts';
import { StoppableSource } from '../stoppable-source.ts';
import { isStoreInput } from '../stored-captures.ts';

/**
 * Copies the packets of some exchanges into a capture of their own.
 *
 * The captures are read several times, so that memory does not depend on their size: to learn which bytes belong
 * to the exchanges; to learn which packets carry them; to analyse these packets alone and compare; to copy them.
 *
 * @returns the exit code
 * @throws UserError when the input or the output cannot be used
 */
export async function extract(
  args: readonly string[],
  flags: ExtractFlags,
  version: string,
): Promise<number> {
  const { files, ids } = separateIds(args);
  const inputs = [...(flags.read ?? []), ...files];
  checkUsage(inputs, ids, flags);
  let wasReaderLeft = false;
  const output = openCaptureOutput(flags.write, {
    force: flags.force === true,
    inputs: [...inputs, ...(flags.capture ?? [])],
    onReaderLeft: () => {
      wasReaderLeft = true;
    },
  });
  try {
    const task = isStoreInput(inputs)
      ? await extractFromStore(inputs, ids, flags, version)
      : await extractFromCaptures(inputs, ids, flags, version);
    return await carryOut(task, output, () => wasReaderLeft);
  } finally {
    output.abort();
  }
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function checkUsage(inputs: readonly string[], ids: ExchangeIds, flags: ExtractFlags): void {
  if (inputs.length === 0) throw usage('no file is named', 'name a capture or a SQLite file of analyze');
  if (ids.isEmpty && flags.where === undefined)
    throw usage('no exchange is named', "give ids, as in 17 or 3,7-9, or --where 'status >= 500'");
  if (!ids.isEmpty && flags.where !== undefined)
    throw usage('exchanges are chosen by ids and by --where', 'choose by one of them');
  if (inputs.includes('-')) {
    throw usage(
      'captures are read several times, which standard input does not allow',
      'keep it in a file first: tcpdump -w trace.pcap',
    );
  }
}

async function carryOut(
  task: ExtractTask,
  output: CaptureOutput,
  readerLeft: () => boolean,
): Promise<number> {
  const { flags } = task;
  const verdicts = new Verdicts();
  const { survey, reading } = await readSurvey(task, verdicts);
  const { chooser, differing } = await choose(task, survey.plans);
  const writer = await copy(task, chooser, verdicts, output, readerLeft);
  if (!readerLeft()) await output.finish();
  if (flags.quiet !== true) {
    for (const line of reportLines(task, { survey, chooser, writer, verdicts, differing, reading }))
      process.stderr.write(`${line}\n`);
  }
  return closeReading(reading, flags);
}

async function readSurvey(
  task: ExtractTask,
  verdicts: Verdicts,
): Promise<{ survey: Survey; reading: Reading }> {
  const { flags } = task;
  let clock: RunClock = { epochSeconds: null };
  const survey = new Survey({
    isChosen: (exchange) => task.isChosen(exchange, clock),
    onChosen: (exchange) => verdicts.add(exchange),
    wholeConnections: flags.wholeConnections === true,
    between: flags.between,
  });
  const reading = await readExchanges(task.paths, captureFlags(task), task.version, (context) => {
    clock = context.clock;
    return [survey];
  });
  if (reading.stoppedEarly) throw interrupted();
  task.check(survey, reading);
  return { survey, reading };
}

function captureFlags({ flags, keepHeaders }: ExtractTask): ReadingFlags {
  const { read: _, where: __, ...rest } = flags;
  return { ...rest, keepHeader: keepHeaders };
}

function interrupted(): UserError {
  return new UserError('interrupted', 'stopped before the end; nothing was written');
}

/** Chooses packets until they give the same exchanges by themselves; where they do not, more of the connection is taken. */
async function choose(
  task: ExtractTask,
  plans: ReadonlyMap<number, ConnectionPlan>,
): Promise<{ chooser: PacketChooser; differing: number }> {
  for (;;) {
    const chooser = new PacketChooser(plans, { handshakes: task.flags.handshakes === true });
    const reading = await readExchanges(task.paths, captureFlags(task), task.version, () => [chooser], {
      onPacket: chooser.onPacket,
      onSegment: chooser.onSegment,
      onSighting: chooser.onSighting,
    });
    if (reading.stoppedEarly) throw interrupted();
    const verification = new Verification(chooser.groups);
    const pipeline = new Pipeline(
      pipelineOptions(task),
      (exchange) => verification.exchange(exchange),
      () => {},
    );
    await forEachPacket(task, {
      packet: (packet) => {
        if (chooser.packets.has(packet.capture, packet.number)) pipeline.packet(packet);
        return true;
      },
      drops: ({ fromNs, toNs }) => pipeline.drops.add(fromNs, toNs),
    });
    pipeline.finish();
    const failures = verification.failures();
    // Handshakes and gaps that were asked for are known to change the verdict.
    const asAsked = task.flags.handshakes === true || !task.flags.between;
    const widened = asAsked ? [] : failures.filter(({ whole }) => !whole);
    if (widened.length === 0) return { chooser, differing: failures.length };
    for (const plan of widened) takeMore(plan);
  }
}

function pipelineOptions({ flags, keepHeaders }: ExtractTask) {
  return {
    ports: flags.port === undefined ? null : new Set(flags.port),
    limits: limitsOf(flags),
    reveal: flags.reveal === true,
    checksums: flags.checksums === true,
    keepHeaders,
  };
}

function limitsOf({ maxConnections }: ExtractFlags) {
  return maxConnections === undefined ? LIMITS : { ...LIMITS, connections: maxConnections };
}

async function copy(
  task: ExtractTask,
  chooser: PacketChooser,
  verdicts: Verdicts,
  output: CaptureOutput,
  readerLeft: () => boolean,
): Promise<PcapngWriter> {
  const writer = new PcapngWriter((bytes) => output.write(bytes), {
    application: `wirelens ${task.version}`,
  });
  const clock: RunClock = { epochSeconds: null };
  const { packets, fineInterfaces } = chooser;
  const copier = new PacketCopier(writer, { packets, verdicts, clock, fineInterfaces });
  await forEachPacket(
    task,
    {
      packet: (packet, facts) => {
        copier.packet(packet, facts[packet.capture]);
        return !readerLeft();
      },
      drops: (report, facts) => copier.drops(report, facts),
    },
    clock,
    output,
  );
  writer.finish();
  return writer;
}

interface Passing {
  /** False ends it. */
  packet(packet: Packet, facts: readonly CaptureFacts[]): boolean;
  drops(report: DropReport, facts: readonly CaptureFacts[]): void;
}

/** Lets every packet pass, and the reports of drops between them. Rejects with UserError when a signal comes. */
async function forEachPacket(
  { paths, flags }: ExtractTask,
  take: Passing,
  clock: RunClock = { epochSeconds: null },
  output: CaptureOutput | null = null,
): Promise<void> {
  const source = new StoppableSource(await openCaptures(paths, { clock, limits: limitsOf(flags) }));
  const release = stopOnSignals(source);
  try {
    const { facts, packet } = source;
    source.onDrops = (report) => take.drops(report, source.facts);
    do {
      while (source.next()) if (!take.packet(packet, facts)) return;
      const drained = output?.drain() ?? null;
      if (drained !== null) await drained;
    } while (await source.more());
    if (source.stopped) throw interrupted();
  } finally {
    release();
    await source.close();
  }
}

interface Result {
  readonly survey: Survey;
  readonly chooser: PacketChooser;
  readonly writer: PcapngWriter;
  readonly verdicts: Verdicts;
  /** Connections whose exchanges come out otherwise. */
  readonly differing: number;
  readonly reading: Reading;
}

function reportLines({ flags }: ExtractTask, result: Result): string[] {
  const { survey, chooser, writer, verdicts, differing, reading } = result;
  const total = reading.captures.reduce((sum, { packets }) => sum + packets, 0);
  const others = chooser.exchanges - survey.chosen;
  const where = flags.write === '-' ? 'standard output' : sanitise(flags.write);
  const lines = [
    `${where}: ${counted(survey.chosen, 'exchange')} of ${counted(survey.plans.size, 'connection')}, ${formatCount(writer.packets)} of ${counted(total, 'packet')}, ${formatBytes(writer.bytes)}`,
  ];
  if (others > 0) {
    lines.push(`${counted(others, 'more exchange')} came along on these connections; they carry no comment`);
  }
  if (differing > 0) {
    lines.push(
      `${counted(differing, 'connection')}: the exchanges come out otherwise when these packets are analysed alone`,
    );
  }
  if (verdicts.left > 0) lines.push(`${counted(verdicts.left, 'exchange')} without a comment: too many`);
  return lines;
}
