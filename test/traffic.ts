import {
  type Conversation,
  conversation,
  type Segment,
  type Side,
  START_NS,
} from '../fixtures/build/conversation.ts';
import { interleave, type Random } from '../fixtures/build/transform.ts';
import type { Exchange } from '../src/model/exchange.ts';

/** One exchange that a script of traffic holds. */
export interface Planned {
  /** Unique in the traffic. */
  readonly target: string;
  readonly method: string;
  readonly status: number;
  /** Bytes of the response's body on the wire. */
  readonly responseBodyBytes: number;
  readonly requestBodyBytes: number;
  readonly requestText: string;
  readonly responseText: string;
}

export interface Traffic {
  readonly planned: readonly Planned[];
  readonly segments: Segment[];
}

export interface TrafficOptions {
  readonly connections: number;
  /** Exchanges of each connection, at most. */
  readonly exchanges: number;
  /** Largest number of requests sent without waiting for an answer; 1: none are. */
  readonly pipelined: number;
  /** Longest segment in bytes; 1460 by default. */
  readonly mss?: number;
  /** First sequence numbers, for the wrap; random by default. */
  readonly sequence?: { client: number; server: number };
  readonly largestBodyBytes?: number;
  /** TCP timestamps on every segment. */
  readonly timestamps?: boolean;
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;
/** What bodies are made of: nothing in it looks like the start of a message. */
const FILLER = 'The quick brown fox jumps over the lazy dog, twice;\r\nand then it slept.\n';

function filler(bytes: number): string {
  return FILLER.repeat(Math.ceil(bytes / FILLER.length)).slice(0, bytes);
}

function chunked(text: string, random: Random): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    const size = Math.min(text.length - at, 1 + Math.floor(random() * 400));
    result += `${size.toString(16)}\r\n${text.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${result}0\r\n${random() < 0.2 ? 'X-Trailer: t\r\n' : ''}\r\n`;
}

/** A request and its answer, which carries the request's target in `x-request-id` and its number in the reason. */
function plan(target: string, largestBodyBytes: number, random: Random): Planned {
  const method = METHODS[Math.floor(random() * METHODS.length)] as string;
  const head = [`${method} ${target} HTTP/1.1`, 'Host: traffic.test', `X-Note: ${filler(5).trim()}`];
  let requestBody = '';
  if (method === 'POST' || method === 'PUT') {
    const text = filler(Math.floor(random() * largestBodyBytes));
    const inChunks = random() < 0.3;
    requestBody = inChunks ? chunked(text, random) : text;
    head.push(inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${text.length}`);
  }
  const shape = random();
  const status = shape < 0.08 ? 204 : shape < 0.16 ? 304 : shape < 0.24 ? 404 : 200;
  const answer = [`HTTP/1.1 ${status} ${target.replaceAll('/', '_')}`, `X-Request-Id: ${target}`];
  const text = filler(Math.floor(random() * largestBodyBytes));
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  let responseBody = '';
  if (random() < 0.3 && status !== 204) {
    answer.push('Transfer-Encoding: chunked');
    if (!bodiless) responseBody = chunked(text, random);
  } else if (status !== 204) {
    answer.push(`Content-Length: ${text.length}`);
    if (!bodiless) responseBody = text;
  }
  return {
    target,
    method,
    status,
    requestBodyBytes: requestBody.length,
    responseBodyBytes: responseBody.length,
    requestText: `${head.join('\r\n')}\r\n\r\n${requestBody}`,
    responseText: `${answer.join('\r\n')}\r\n\r\n${responseBody}`,
  };
}

/** Sends a batch of requests and their answers, cut into segments in one of the ways that real stacks do. */
function exchangeBatch(script: Conversation, batch: readonly Planned[], mss: number, random: Random): void {
  const requests = batch.map(({ requestText }) => requestText);
  if (random() < 0.5) script.fromClient(requests.join(''), { segments: sizes(mss, random) });
  else for (const text of requests) script.fromClient(text, { segments: sizes(mss, random) });
  if (random() < 0.5) script.ack('server');
  const answers = batch.map(({ responseText }) => responseText);
  if (random() < 0.4) script.fromServer(answers.join(''), { segments: sizes(mss, random) });
  else {
    for (const text of answers) {
      script.fromServer(text, { segments: sizes(mss, random) });
      if (random() < 0.3) script.ack('client');
    }
  }
  if (random() < 0.5) script.ack('client');
}

function sizes(mss: number, random: Random): number[] {
  return random() < 0.7 ? [] : Array.from({ length: 8 }, () => 1 + Math.floor(random() * mss));
}

/** Traffic of one connection; `name` begins its targets. */
export function connectionTraffic(
  name: string,
  client: Side,
  startNs: bigint,
  options: TrafficOptions,
  random: Random,
): Traffic {
  const mss = options.mss ?? 1460;
  const script = conversation({
    client,
    server: { address: '10.0.0.2', port: 80 },
    startNs,
    stepMs: 0.2,
    mss,
    timestamps: options.timestamps ?? false,
    clientSeq: options.sequence?.client ?? Math.floor(random() * 2 ** 32),
    serverSeq: options.sequence?.server ?? Math.floor(random() * 2 ** 32),
  }).handshake();
  const planned: Planned[] = [];
  const count = 1 + Math.floor(random() * options.exchanges);
  while (planned.length < count) {
    const together = Math.min(count - planned.length, 1 + Math.floor(random() * options.pipelined));
    const batch = Array.from({ length: together }, (_, index) =>
      plan(`/${name}/${planned.length + index}`, options.largestBodyBytes ?? 3000, random),
    );
    exchangeBatch(script, batch, mss, random);
    planned.push(...batch);
  }
  script.fin();
  return { planned, segments: script.segments };
}

/** Several connections, interleaved in time. */
export function traffic(options: TrafficOptions, random: Random): Traffic {
  const parts = Array.from({ length: options.connections }, (_, index) => {
    const client = { address: `10.0.1.${index + 1}`, port: 40_000 + index };
    const startNs = START_NS + BigInt(Math.floor(random() * 5e6));
    return connectionTraffic(`c${index}`, client, startNs, options, random);
  });
  return {
    planned: parts.flatMap(({ planned }) => planned),
    segments: interleave(...parts.map(({ segments }) => segments)),
  };
}

/** The target that the response of `traffic` says it answers; null where its head was cut before that. */
export function answeredTarget(exchange: Exchange): string | null {
  return exchange.response?.headers.find(({ name }) => name === 'x-request-id')?.value ?? null;
}
