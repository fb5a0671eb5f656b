import { reportJson } from '../../agent/agent-report.ts';
import { type Identity, identityHeaders } from '../../agent/identity.ts';
import { openCaptures } from '../../capture/open.ts';
import type { ServerClient } from '../../client/server-client.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { counted, formatBytes, formatCount } from '../../report/units.ts';
import { isStoreFile } from '../../store/sqlite-magic.ts';
import { BATCH_TYPE } from '../../transfer/batch-columns.ts';
import { BatchSender, type StoredBatches } from '../client/batch-sender.ts';
import { serverClient } from '../client/server-flags.ts';
import { checkNamed, identityOf, RETRY_FOR_MS, type UploadFlags } from '../client/upload-flags.ts';
import { UploadInputs } from '../client/upload-identity.ts';
import { uploadText } from '../client/upload-progress.ts';
import { UploadSink } from '../client/upload-sink.ts';
import { Stopping } from '../client/upload-stopping.ts';
import { dryText, summaryLines } from '../client/upload-summary.ts';
import { Talk } from '../client/upload-talk.ts';
import { separateWords } from '../packet-selection.ts';
import { closeReading, type Reading, readExchanges } from '../reading.ts';
import { writeAll } from '../stream-output.ts';

/** A batch is sealed at so many rows, or so many bytes before compression, whatever comes first. */
const BATCH_ROWS = 2000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Batches under way at once. */
const PARALLEL = 4;
/** The report at the end may take so long. */
const REPORT_MS = 5_000;

/** Options that decide which exchanges come out. */
const CHOICES = [
  'packets',
  'port',
  'host',
  'net',
  'keepHeader',
  'checksums',
  'reveal',
  'where',
  'maxConnections',
] as const;

/**
 * Uploads the exchanges of captures or SQLite files. The same command again goes on where this one ended, and stores
 * nothing twice.
 *
 * @returns the exit code
 * @throws UserError when the input cannot be used or the server refuses
 */
export async function upload(files: readonly string[], flags: UploadFlags, version: string): Promise<number> {
  const { files: words, expression } = separateWords(files, flags);
  const named = [...(flags.read ?? []), ...words];
  checkNamed(named);
  const headers = identityHeaders(identityOf(flags));
  const client = serverClient(flags, version, process.env, PARALLEL);
  const talk = new Talk(flags);
  const stopping = new Stopping();
  let inputs: UploadInputs | null = null;
  try {
    let hashed = 0;
    talk.progress.start(() => `checking what is there already  ${formatBytes(hashed)}`);
    inputs = await UploadInputs.read(named, (bytes) => { hashed += bytes; }, stopping.signal); // biome-ignore format: short
    const stream = inputs.stream({
      version,
      batchRows: BATCH_ROWS,
      batchBytes: BATCH_BYTES,
      agent: flags.agentName ?? null,
      options: { expression, ...Object.fromEntries(CHOICES.map((name) => [name, flags[name] ?? null])) },
    });
    const sender = new BatchSender({
      client,
      stream,
      headers: { ...headers, 'content-type': BATCH_TYPE, 'content-encoding': 'gzip' },
      parallel: PARALLEL,
      retryForMs: flags.retryFor === undefined ? RETRY_FOR_MS : flags.retryFor / 1e6,
      signal: stopping.hardSignal,
      onRetry: (problem) => talk.retry(problem),
      onFailure: () => stopping.stopAtOnce(),
    });
    const dry = flags.dryRun === true;
    if (flags.reveal === true && !dry) talk.say('secrets are sent as they are, because of --reveal');
    await checkInputs(inputs);
    const stored: StoredBatches = dry ? { has: () => false } : await sender.storedBatches();
    const run = await new Upload({ flags, version, inputs, sender, stored, stopping, talk, dry }).run(
      expression,
    );
    if (dry) await writeAll(`${dryText(run, stream, identityOf(flags).agent)}\n`);
    else await report(client, identityOf(flags), run, sender, version);
    if (!dry) finishUpload(run, sender, { stopping, talk, inputs, url: client.address.text, flags });
    return stopping.stopped ? EXIT.failed : closeReading(withNames(run.reading, inputs), flags);
  } catch (error) {
    if (!stopping.stopped || error instanceof UserError) throw error;
    talk.say('stopped before anything was sent');
    return EXIT.failed;
  } finally {
    talk.progress.stop();
    stopping.release();
    client.close();
    inputs?.close();
  }
}

/**
 * Before a server is asked, which may have to be waited for.
 *
 * @throws UserError when one of the files is no capture
 */
async function checkInputs({ files }: UploadInputs): Promise<void> {
  // A copy of standard input has a name that nobody knows; what is wrong with it is said when it is read.
  const captures = files.filter(({ named, path }) => named === path && !isStoreFile(path));
  if (captures.length === 0) return;
  const source = await openCaptures(
    captures.map(({ path }) => path),
    { clock: { epochSeconds: null }, limits: LIMITS },
  );
  await source.close();
}

interface UploadParts {
  readonly flags: UploadFlags;
  readonly version: string;
  readonly inputs: UploadInputs;
  readonly sender: BatchSender;
  readonly stored: StoredBatches;
  readonly stopping: Stopping;
  readonly talk: Talk;
  readonly dry: boolean;
}

/** What an upload has come to. */
interface UploadRun {
  readonly reading: Reading;
  readonly sink: UploadSink;
  /** Sealed and, but for a dry run, handed to the sender. */
  readonly batches: number;
  readonly bytes: number;
}

/** Reads the inputs and hands their batches to the sender. */
class Upload {
  readonly #parts: UploadParts;
  #batches = 0;
  #bytes = 0;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  async run(expression: string | null): Promise<UploadRun> {
    const { flags, version, inputs, sender, stored, stopping, talk, dry } = this.#parts;
    let sink: UploadSink | null = null;
    // Copies take the place of what can be read only once; words of a filter were separated already.
    const { read: _read, packetFilter: _filter, ...rest } = flags;
    const reading = await readExchanges(
      inputs.files.map(({ path }) => path),
      { ...rest, ...(expression === null ? {} : { packetFilter: expression }) },
      version,
      ({ clock, captures, stop }) => {
        stopping.onStop(stop);
        const made = new UploadSink({
          clock,
          captures,
          batchRows: BATCH_ROWS,
          batchBytes: BATCH_BYTES,
          stored,
          send: (batch) => {
            this.#batches += 1;
            this.#bytes += batch.body.byteLength;
            if (!dry) sender.send(batch);
          },
          room: () => sender.room(),
          stopped: () => stopping.stopped,
        });
        sink = made;
        // Of SQLite files no bytes are counted while they are read.
        const fromStore = inputs.files.some(({ path }) => isStoreFile(path));
        const totalBytes = inputs.files.reduce((sum, { bytes }) => sum + bytes, 0);
        talk.progress.start((elapsedMs) =>
          uploadText(
            {
              exchanges: made.exchanges,
              confirmed: dry ? made.exchanges : made.skippedRows + sender.rows,
              sentBytes: dry ? this.#bytes : sender.bytes,
              captures,
              totalBytes: fromStore ? null : totalBytes,
            },
            elapsedMs,
          ),
        );
        return [made];
      },
      { showProgress: false },
    );
    await sender.settled();
    talk.progress.stop();
    if (sink === null) throw new Error('no sink was made');
    return { reading, sink, batches: this.#batches, bytes: this.#bytes };
  }
}

/**
 * Tells the server of itself once, as agents do with every heartbeat, so that the list of agents has it. Whether that
 * succeeds changes nothing about what is uploaded.
 */
async function report(
  client: ServerClient,
  identity: Identity,
  { reading, sink }: UploadRun,
  sender: BatchSender,
  version: string,
): Promise<void> {
  if (sink.exchanges === 0 || sender.failure !== null) return;
  const { user, system } = process.cpuUsage();
  const dropped = reading.captures.flatMap(({ interfaces }) => interfaces.map((one) => one.dropped ?? 0));
  const body = reportJson({
    identity,
    version,
    started: new Date(performance.timeOrigin),
    interfaces: [],
    packets: reading.ledger.packetsRead,
    packetsDropped: dropped.reduce((sum, count) => sum + count, 0),
    exchanges: sink.exchanges,
    exchangesSent: sink.skippedRows + sender.rows,
    exchangesDropped: 0,
    backlogBatches: 0,
    backlogBytes: 0,
    rssBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    problem: null,
  });
  const path = `/api/v1/agents/${encodeURIComponent(identity.agent)}`;
  const headers = { 'content-type': 'application/json' };
  await client
    .request('PUT', path, { headers, body: Buffer.from(body), timeoutMs: REPORT_MS })
    .catch(() => {});
}

/** Says what became of it. @throws UserError when not everything that was read is at the server */
function finishUpload(
  { sink, batches }: UploadRun,
  sender: BatchSender,
  {
    stopping,
    talk,
    inputs,
    url,
    flags,
  }: { stopping: Stopping; talk: Talk; inputs: UploadInputs; url: string; flags: UploadFlags },
): void {
  const confirmed = sink.skippedRows + sender.rows;
  if (sender.failure !== null && !stopping.byUser) {
    talk.say(
      `${counted(confirmed, 'exchange')} of ${formatCount(sink.exchanges)} read until now are at the server; the same command again goes on from there`,
    );
    throw sender.failure;
  }
  if (stopping.stopped) {
    talk.say(
      `stopped: ${counted(confirmed, 'exchange')} are at ${url}; the same command again goes on from there`,
    );
    return;
  }
  talk.say(...summaryLines(sink, sender, { batches, url, agent: identityOf(flags).agent }));
  const changed = inputs.changed();
  if (changed.length > 0)
    throw new UserError(
      'changed',
      'it changed while it was read, so what was uploaded is neither the old content nor the new',
      {
        place: { file: changed[0] as string },
        hint: 'upload captures that nobody writes to any more; wirelens agent uploads while it captures',
      },
    );
}

/** Names on the command line in place of those of copies, for what is said about captures. */
function withNames(reading: Reading, inputs: UploadInputs): Reading {
  const names = new Map(inputs.files.map(({ path, named }) => [path, named]));
  return {
    ...reading,
    captures: reading.captures.map((one) => ({ ...one, path: names.get(one.path) ?? one.path })),
  };
}
