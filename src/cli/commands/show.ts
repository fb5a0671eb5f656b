import { JsonRecordWriter } from '../../export/json-record.ts';
import { redactTarget } from '../../match/redact-target.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { Exchange } from '../../model/exchange.ts';
import { jsonText } from '../../model/json-text.ts';
import type { CaptureFacts, RunClock } from '../../model/packet.ts';
import { routeOf } from '../../model/route.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { counted } from '../../report/units.ts';
import { type CloseLook, curlOf, viewMessage } from '../../show/close-look.ts';
import { type CurlCommand, curlText } from '../../show/curl.ts';
import type { Found } from '../../show/finder.ts';
import { MessageCollector } from '../../show/message-bytes.ts';
import { PacketFinder } from '../../show/packets.ts';
import { createMasking, type Masking } from '../../show/secrets.ts';
import { showJson } from '../../show/show-json.ts';
import { showText } from '../../show/show-text.ts';
import { separateIds } from '../exchange-ids.ts';
import { closeReading, readExchanges } from '../reading.ts';
import { type Findings, findExchanges, type ShowFlags } from '../show-findings.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

const BODY_BYTES = 4096;
/** Most of a body that is shown. */
const LARGEST_BODY_BYTES = 16 * 1024 * 1024;
/** Bytes kept of a message beside its body's preview: the head, and what codings need. */
const HEAD_BYTES = 512 * 1024;
/** Cells of a line where there is no terminal to ask. */
const PIPED_WIDTH = 100;

/** A sighting of one exchange: what the second reading brought. */
interface Closer {
  readonly look: CloseLook | null;
  readonly curl: CurlCommand | null;
}

/**
 * Prints single exchanges in full. Facts come from the first reading of the input; heads as sent, bodies and
 * packets from a second one over the captures, which only looks at the connections that matter.
 *
 * @returns the exit code
 * @throws UserError when the input cannot be used, or has no such exchange
 */
export async function show(args: readonly string[], flags: ShowFlags, version: string): Promise<number> {
  const { files, ids } = separateIds(args);
  const inputs = [...(flags.read ?? []), ...files];
  if (inputs.length === 0) throw usage('no file is named', 'name a capture or a SQLite file of analyze');
  if (ids.isEmpty && flags.where === undefined)
    throw usage('no exchange is named', "give ids, as in 17 or 3,7-9, or --where 'status >= 500'");
  const { read: _, ...rest } = flags;
  const findings = await findExchanges(inputs, ids, rest, version);
  const { finder, reading } = findings;
  if (finder.found.length === 0 && finder.left === 0) {
    throw new UserError('no-match', 'no exchange matches', { place: { file: inputs.join(', ') } });
  }
  const masking = createMasking(flags.reveal === true, redactTarget);
  const closer = await lookCloser(findings, rest, version, masking);
  const output = new StreamOutput(process.stdout);
  for (const found of finder.found) {
    const one = closer.get(found.exchange) ?? { look: null, curl: null };
    output.write(textOf(found, one, findings, flags, inputs));
  }
  await finishOutput(output);
  if (finder.left > 0 && flags.quiet !== true)
    process.stderr.write(`wirelens: ${counted(finder.left, 'more exchange')} not shown: --limit\n`);
  return closeReading(reading, flags);
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

/** Bytes of each body to be shown; 0: none. */
function bodyBytesOf({ body, bodySize }: ShowFlags): number {
  if (bodySize !== undefined) return Math.min(bodySize, LARGEST_BODY_BYTES);
  return body === true ? BODY_BYTES : 0;
}

async function lookCloser(
  { finder, located, paths }: Findings,
  flags: ShowFlags,
  version: string,
  masking: Masking,
): Promise<Map<Exchange, Closer>> {
  const collector = new MessageCollector();
  const packets = new PacketFinder();
  const bodyBytes = bodyBytesOf(flags);
  const open = new Set<number>();
  for (const exchange of located.values()) {
    const { id } = exchange.connection;
    open.add(id);
    const limit = HEAD_BYTES + 2 * bodyBytes;
    if (exchange.request !== null) collector.want(id, exchange.request, limit);
    if (exchange.response !== null) collector.want(id, exchange.response, limit);
    packets.watch(exchange);
  }
  if (located.size > 0) {
    const { where: _, ...all } = flags;
    let stop = (): void => {};
    await readExchanges(
      paths,
      all,
      version,
      (context) => {
        stop = context.stop;
        return [connectionSink((id) => open.delete(id) && open.size === 0 && stop())];
      },
      { tap: collector.tap, onSegment: packets.onSegment },
    );
  }
  const closer = new Map<Exchange, Closer>();
  for (const { exchange } of finder.found) {
    const there = located.get(exchange) ?? null;
    const { request, response } = there ?? { request: null, response: null };
    const requestBytes = request === null ? null : collector.of(request);
    const responseBytes = response === null ? null : collector.of(response);
    const look: CloseLook | null =
      there === null
        ? null
        : {
            request:
              request === null || requestBytes === null
                ? null
                : await viewMessage(request, requestBytes, masking, bodyBytes),
            response:
              response === null || responseBytes === null
                ? null
                : await viewMessage(response, responseBytes, masking, bodyBytes),
            packets: packets.of(there),
          };
    closer.set(exchange, { look, curl: await curlOf(exchange, requestBytes, masking) });
  }
  return closer;
}

function connectionSink(onConnection: (id: number) => void) {
  return {
    exchange: () => {},
    connection: ({ id }: { id: number }) => onConnection(id),
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
}

function textOf(
  found: Found,
  { look, curl }: Closer,
  findings: Findings,
  flags: ShowFlags,
  inputs: readonly string[],
): string {
  const { reading, withoutLook, finder } = findings;
  const { clock, captures } = reading;
  if (flags.format === 'json') return jsonLine(found, { look, curl }, clock, captures);
  if (flags.curl === true) return curlLines(found.exchange, curl, inputs);
  const terminal = terminalFacts();
  const text = showText(found, look, {
    width: chooseWidth(terminal, PIPED_WIDTH),
    style: chooseStyle(flags.color, terminal),
    clock,
    captures,
    allPackets: flags.packetList === true,
    withoutLook,
  });
  return finder.found[0] === found ? text : `\n${text}`;
}

function jsonLine(
  found: Found,
  { look, curl }: Closer,
  clock: RunClock,
  captures: readonly CaptureFacts[],
): string {
  const writer = new JsonRecordWriter({ clock, captures, routeOf });
  writer.write(found.exchange);
  const record = JSON.parse(Buffer.from(writer.take()).toString('utf8')) as Record<string, unknown>;
  return `${jsonText({ ...record, ...showJson(found, look, curl, { clock, captures }) })}\n`;
}

/** Comments of a shell script carry what the command does not do. */
function curlLines(exchange: Exchange, curl: CurlCommand | null, inputs: readonly string[]): string {
  if (curl === null) {
    return `# exchange ${exchange.id} of ${sanitise(inputs.join(' '))}: its request is not in the capture\n`;
  }
  const notes = curl.notes.map((note) => `# ${sanitise(note)}\n`).join('');
  return `${notes}${curlText(curl)}\n`;
}
