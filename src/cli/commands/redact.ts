import { statSync } from 'node:fs';
import { PcapngWriter } from '../../export/pcapng-writer.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import type { CaptureFacts, RunClock } from '../../model/packet.ts';
import { type CaptureRedaction, redactCapture } from '../../redact/capture-redaction.ts';
import { ExchangeDigest } from '../../redact/exchange-digest.ts';
import { ExchangeRedactor } from '../../redact/exchange-redactor.ts';
import { RedactionKey } from '../../redact/key.ts';
import { type ManifestParts, manifestText } from '../../redact/manifest.ts';
import { redactingSink } from '../../redact/redacting-sink.ts';
import { RedactionRules } from '../../redact/rules.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes } from '../../report/units.ts';
import { openCaptureOutput } from '../capture-output.ts';
import { repeatableRun } from '../capture-run.ts';
import { damageLines } from '../closing.ts';
import { Progress } from '../progress.ts';
import { readRedactionKey } from '../redaction-key.ts';
import { isStoreInput } from '../stored-captures.ts';
import { type ColorChoice, terminalFacts } from '../terminal.ts';
import { TextFile } from '../text-file.ts';

/** Options of `wirelens redact` as the command line gives them. */
export interface RedactFlags {
  readonly read?: readonly string[];
  readonly packets?: number;
  readonly write: string;
  readonly force?: boolean;
  readonly manifest?: string;
  readonly key?: string;
  readonly keepAddresses?: boolean;
  readonly keepHosts?: boolean;
  readonly maskPaths?: boolean;
  readonly scrubBodies?: boolean;
  readonly quiet?: boolean;
  readonly progress: boolean;
  readonly color: ColorChoice;
  readonly debug?: boolean;
}

/** What both kinds of input are redacted with. */
interface Task {
  readonly paths: readonly string[];
  readonly flags: RedactFlags;
  readonly version: string;
  readonly rules: RedactionRules;
}

/** What to say and to write down in the end. */
interface Outcome {
  readonly captures: readonly CaptureFacts[];
  readonly copy: ManifestParts['copy'];
  readonly limitsReached: readonly string[];
  readonly differingExchanges: number | null;
}

/**
 * Writes a redacted copy of captures or SQLite files, and a manifest beside it. The input is read several times,
 * so that what belongs together is known before the first byte is written.
 *
 * @returns the exit code
 * @throws UserError when the input or the output cannot be used
 */
export async function redact(files: readonly string[], flags: RedactFlags, version: string): Promise<number> {
  const paths = [...(flags.read ?? []), ...files];
  checkUsage(paths, flags);
  const key = flags.key === undefined ? RedactionKey.random() : readRedactionKey(flags.key);
  const rules = new RedactionRules(key, {
    keepAddresses: flags.keepAddresses === true,
    keepHosts: flags.keepHosts === true,
    maskPaths: flags.maskPaths === true,
    scrubBodies: flags.scrubBodies === true,
  });
  const manifestPath = flags.manifest ?? `${flags.write}.manifest.json`;
  const inputs = [...paths, ...(flags.key === undefined ? [] : [flags.key])];
  const manifest = new TextFile(manifestPath, { force: flags.force === true, inputs });
  const release = endOnSignals();
  try {
    const task: Task = { paths, flags, version, rules };
    const outcome = isStoreInput(paths) ? await redactStores(task) : await redactCaptures(task);
    manifest.write(
      manifestText({ version, rules, key: flags.key === undefined ? 'random' : 'given', ...outcome }),
    );
    await manifest.publish();
    report(task, outcome, manifestPath);
    if (outcome.captures.some(({ damage }) => damage !== null)) return EXIT.salvaged;
    return EXIT.fine;
  } finally {
    release();
    manifest.discard();
  }
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function checkUsage(paths: readonly string[], { write, manifest }: RedactFlags): void {
  if (paths.length === 0) throw usage('no file is named', 'name a capture or a SQLite file of analyze');
  if (paths.includes('-')) {
    throw usage(
      'the input is read several times, which standard input does not allow',
      'keep it in a file first: tcpdump -w trace.pcap',
    );
  }
  if (write === '-' || manifest === '-')
    throw usage('the copy and its manifest are checked before they get their names', 'name a file with -w');
}

async function redactCaptures({ paths, flags, version, rules }: Task): Promise<Outcome> {
  const output = openCaptureOutput(flags.write, { force: flags.force === true, inputs: paths });
  let progress: Progress | null = null;
  try {
    const runs = repeatableRun(paths, {
      limits: LIMITS,
      ...(flags.packets === undefined ? {} : { packets: flags.packets }),
      onProgress: (captures) => progress?.update(captures),
    });
    const redaction = await redactCapture(
      async (observers, begin) => {
        progress = progressOf(flags, sizeOf(paths));
        try {
          await runs.run(observers, begin);
        } finally {
          progress?.clear();
        }
      },
      () => new PcapngWriter((bytes) => output.write(bytes), { application: `wirelens ${version}` }),
      rules,
    );
    const { captures } = runs.last() ?? { captures: [] };
    await output.finish();
    const after = new ExchangeDigest();
    await repeatableRun([flags.write], { limits: LIMITS }).run({
      onExchange: (exchange) => after.note(exchange),
    });
    return {
      captures,
      copy: { kind: 'pcapng', packets: redaction.packets, exchanges: after.count },
      limitsReached: limitsReached(redaction),
      differingExchanges: after.differences(redaction.before),
    };
  } finally {
    output.abort();
  }
}

function limitsReached(redaction: CaptureRedaction): string[] {
  const lines: string[] = [];
  const { planOverflowBytes, fragmentedOverflow, secretsOverflow, uncomparedSegments } = redaction;
  if (planOverflowBytes > 0) {
    lines.push(
      `${formatBytes(planOverflowBytes)} of heads and bodies are zero in the copy, because the plan was full; cut the capture in two and use the same --key`,
    );
  }
  if (fragmentedOverflow > 0)
    lines.push(`${counted(fragmentedOverflow, 'datagram')} in fragments are zero in the copy`);
  if (secretsOverflow > 0)
    lines.push(`${counted(secretsOverflow, 'secret')} were not looked for in text that stays`);
  if (uncomparedSegments > 0)
    lines.push(`${counted(uncomparedSegments, 'early segment')} were not compared with what was delivered`);
  return lines;
}

async function redactStores({ paths, flags, version, rules }: Task): Promise<Outcome> {
  if (flags.packets !== undefined)
    throw usage('-c counts packets, which a SQLite file does not hold', 'leave it out');
  const [{ readStoredExchanges }, { createSqliteSink }] = await Promise.all([
    import('../../store/exchange-reader.ts'),
    import('../../store/sqlite-sink.ts'),
  ]);
  // First the secrets are collected: one that is found late may stand in a path that comes early.
  const collecting = new ExchangeRedactor(rules);
  await readStoredExchanges(paths, [redactingSink(collecting, nowhere())], { clock: { epochSeconds: null } });
  rules.replaced.clear();
  rules.kept.clear();
  const clock: RunClock = { epochSeconds: null };
  const sink = await createSqliteSink({
    path: flags.write,
    force: flags.force === true,
    limits: LIMITS,
    clock,
    version,
  });
  const progress = progressOf(flags, null);
  const run = await readStoredExchanges(paths, [redactingSink(new ExchangeRedactor(rules), sink)], {
    clock,
    onProgress: (done, total) => progress?.rows(done, total),
  }).finally(() => progress?.clear());
  const exchanges = sink.files().reduce((sum, file) => sum + file.exchanges, 0);
  const { overflow } = rules.secrets;
  return {
    captures: run.captures,
    copy: { kind: 'sqlite', exchanges },
    limitsReached:
      overflow === 0 ? [] : [`${counted(overflow, 'secret')} were not looked for in text that stays`],
    differingExchanges: null,
  };
}

function nowhere(): Parameters<typeof redactingSink>[1] {
  return {
    exchange() {},
    connection() {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
}

function report({ flags, rules }: Task, outcome: Outcome, manifestPath: string): void {
  if (flags.quiet === true) return;
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  for (const line of damageLines(outcome.captures)) note(`wirelens: ${line}`);
  for (const line of outcome.limitsReached) note(`wirelens: ${line}`);
  const { copy, differingExchanges } = outcome;
  const what = [
    ...(copy.packets === undefined ? [] : [counted(copy.packets, 'packet')]),
    counted(copy.exchanges, 'exchange'),
    formatBytes(statSync(flags.write).size),
  ];
  note(`wrote ${sanitise(flags.write)}: ${what.join(', ')}`);
  const parts = [
    counted(rules.addresses.replaced, 'address', 'addresses'),
    counted(rules.replaced.total('header fields'), 'header field'),
    counted(rules.replaced.total('query'), 'query value'),
    counted(rules.replaced.total('cookies'), 'cookie'),
    ...(copy.kind === 'pcapng' ? [counted(rules.replaced.total('bodies'), 'body', 'bodies')] : []),
  ];
  note(`  replaced: ${parts.join(', ')}; all of it in ${sanitise(manifestPath)}`);
  if (differingExchanges === 0)
    note('  checked: the copy gives the same exchanges, with equal times, sizes and statuses');
  else if (differingExchanges !== null)
    note(
      `wirelens: ${counted(differingExchanges, 'exchange')} of the copy differ from the original; see the manifest`,
    );
}

/** A signal ends the process through its exit handlers, which leave nothing half-written behind. */
function endOnSignals(): () => void {
  const end = (): void => process.exit(130);
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return () => {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  };
}

function progressOf(flags: RedactFlags, totalBytes: number | null): Progress | null {
  if (!flags.progress || flags.quiet === true || !terminalFacts().stderrIsTty) return null;
  return new Progress({
    totalBytes,
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns ?? 80,
    now: () => performance.now(),
  });
}

function sizeOf(paths: readonly string[]): number | null {
  let bytes = 0;
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return null;
    bytes += stat.size;
  }
  return bytes;
}
