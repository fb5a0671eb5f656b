import { describe, expect, it } from 'vitest';
import { type Conversation, conversation, type Segment, START_NS } from '../fixtures/build/conversation.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { inShort, PipelineFeed, packetsOf } from './pipeline-run.ts';
import { answeredTarget } from './traffic.ts';

/** How a small conversation is cut into packets. */
interface Shape {
  /** Requests sent together, batch after batch. */
  readonly batches: readonly number[];
  /** One segment for the requests of a batch, or one for each. */
  readonly requests: 'joined' | 'separate';
  /** One segment for the answers to a batch, one for each, or two for each. */
  readonly answers: 'joined' | 'separate' | 'split';
  /** Segments without payload between them. */
  readonly acks: boolean;
  readonly fin: boolean;
}

interface Small {
  readonly segments: readonly Segment[];
  /** What each segment is: `Q2` the second request, `A1b` the second half of the first answer. */
  readonly names: readonly string[];
}

const BATCHES = [[1, 1], [2], [1, 1, 1], [1, 2], [2, 1], [3], [2, 2], [1, 3], [1, 2, 1]];

function shapes(): Shape[] {
  const all: Shape[] = [];
  for (const batches of BATCHES) {
    for (const requests of ['joined', 'separate'] as const) {
      for (const answers of ['joined', 'separate', 'split'] as const) {
        for (const acks of [false, true]) {
          for (const fin of [true, false]) all.push({ batches, requests, answers, acks, fin });
        }
      }
    }
  }
  return all;
}

function requestText(n: number): string {
  return `GET /${n} HTTP/1.1\r\nHost: small.test\r\n\r\n`;
}

function answerText(n: number): string {
  return `HTTP/1.1 200 R${n}\r\nX-Request-Id: /${n}\r\nContent-Length: 5\r\n\r\nbody${n}`;
}

function build(shape: Shape, client: { address: string; port: number }): Small {
  const script = conversation({ client, startNs: START_NS }).handshake();
  const names = ['SYN', 'SYN/ACK', 'ACK'];
  let last = 0;
  for (const size of shape.batches) {
    const numbers = Array.from({ length: size }, (_, index) => last + index + 1);
    last += size;
    names.push(...send(script, numbers, shape));
  }
  if (shape.fin) {
    script.fin();
    names.push('FIN', 'FIN', 'ACK');
  }
  return { segments: script.segments, names };
}

function send(script: Conversation, numbers: readonly number[], shape: Shape): string[] {
  const names: string[] = [];
  const requests = numbers.map(requestText);
  if (shape.requests === 'joined') {
    script.fromClient(requests.join(''));
    names.push(`Q${numbers.join('+')}`);
  } else {
    for (const text of requests) script.fromClient(text);
    names.push(...numbers.map((n) => `Q${n}`));
  }
  if (shape.acks) names.push(script.ack('server') && 'ack');
  if (shape.answers === 'joined') {
    script.fromServer(numbers.map(answerText).join(''));
    names.push(`A${numbers.join('+')}`);
  } else {
    for (const n of numbers) {
      const segments = shape.answers === 'split' ? [20] : [];
      script.fromServer(answerText(n), { segments });
      names.push(...(shape.answers === 'split' ? [`A${n}a`, `A${n}b`] : [`A${n}`]));
    }
  }
  if (shape.acks) names.push(script.ack('client') && 'ack');
  return names;
}

/** All ways of choosing `count` of the numbers below `length`. */
function choices(length: number, count: number, from = 0): number[][] {
  if (count === 0) return [[]];
  const all: number[][] = [];
  for (let first = from; first < length; first += 1) {
    for (const rest of choices(length, count - 1, first + 1)) all.push([first, ...rest]);
  }
  return all;
}

/** Runs every choice of lost packets as a connection of its own; the complaints, one line each. */
function complaintsAbout(
  shape: Shape,
  losses: number,
  feed: PipelineFeed,
  nextClient: () => string,
): string[] {
  const complaints: string[] = [];
  const { names } = build(shape, { address: '10.9.9.9', port: 1 });
  const payloads = names.flatMap((name, index) => (/[QA]\d/.test(name) ? [index] : []));
  const byClient = new Map<string, readonly number[]>();
  for (const lost of choices(names.length, losses)) {
    if (!lost.some((index) => payloads.includes(index))) continue;
    const address = nextClient();
    byClient.set(address, lost);
    const { segments } = build(shape, { address, port: 40_000 });
    const kept = segments.filter((_, index) => !lost.includes(index));
    for (const packet of packetsOf(kept)) feed.packet(packet);
  }
  const { exchanges } = feed.finish();
  for (const exchange of exchanges) {
    const lost = byClient.get(exchange.client.address);
    if (lost === undefined || isRight(exchange)) continue;
    const missing = lost.map((index) => names[index]).join(', ');
    complaints.push(
      `${names.join(' ')}, lost ${missing}: ${inShort(exchange)} of ${answeredTarget(exchange)} (${exchange.pairing})`,
    );
  }
  return [...complaints, ...feed.ledger.imbalances()];
}

function isRight(exchange: Exchange): boolean {
  const { request } = exchange;
  const answered = answeredTarget(exchange);
  if (request === null) return true;
  return /^\/\d$/.test(request.target) && (answered === null || answered === request.target);
}

describe('in small conversations', () => {
  it.each([
    ['any one packet', 1],
    ['any two packets', 2],
  ])('the loss of %s shifts no pair', (_name, losses) => {
    let client = 0;
    const nextClient = (): string => {
      client += 1;
      return `10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`;
    };
    const complaints = shapes()
      .filter(
        ({ batches, acks, fin }) =>
          losses === 1 || (batches.length + Math.max(...batches) < 5 && acks !== fin),
      )
      .flatMap((shape) => complaintsAbout(shape, losses, new PipelineFeed(), nextClient));
    expect(complaints.slice(0, 20)).toEqual([]);
  });
});
