import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conversation, type Segment } from '../fixtures/build/conversation.ts';
import { seededRandom } from '../fixtures/build/transform.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { fuzzRuns, inOrder, type PipelineRun, runSegments } from './pipeline-run.ts';

const GET = (n: number): string => `GET /${n} HTTP/1.1\r\nHost: pairs.test\r\n\r\n`;
const OK = (n: number): string =>
  `HTTP/1.1 200 R${n}\r\nContent-Length: ${n % 7}\r\n\r\n${'x'.repeat(n % 7)}`;

function opened() {
  return conversation({ stepMs: 0.2 }).handshake();
}

/** `1=1` the pair of request 1 with its answer, `2=` unanswered, `=3` an answer alone; with a mark when not exact. */
function pairs(run: PipelineRun): string {
  expect(run.ledger.imbalances()).toEqual([]);
  return inOrder(run.exchanges).map(pair).join(' ');
}

function pair({ request, response, pairing }: Exchange): string {
  const mark = { exact: '', inferred: '~', ambiguous: '?' }[pairing];
  return `${request === null ? '' : request.target.slice(1)}=${response === null ? '' : response.reason.slice(1)}${mark}`;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe('the cases that other tools get wrong', () => {
  const three = [1, 2, 3];

  it('three pipelined requests in one segment, answered by three segments', () => {
    const script = opened().fromClient(three.map(GET).join(''));
    for (const n of three) script.fromServer(OK(n));
    expect(pairs(runSegments(script.fin().segments))).toBe('1=1 2=2 3=3');
  });

  it('the same answered by one segment', () => {
    const script = opened().fromClient(three.map(GET).join('')).fromServer(three.map(OK).join(''));
    expect(pairs(runSegments(script.fin().segments))).toBe('1=1 2=2 3=3');
  });

  it.each([1, 2, 500, 999, 1000])(
    'a thousand sequential requests, the answer to number %d lost in the capture',
    (lost) => {
      const script = opened();
      for (const n of numbers(1, 1000)) script.fromClient(GET(n)).fromServer(OK(n), { captured: n !== lost });
      const run = runSegments(script.fin().segments);
      expect([run.ledger.paired, run.ledger.unanswered, run.ledger.orphans]).toEqual([999, 1, 0]);
      const unanswered = run.exchanges.filter(({ response }) => response === null);
      expect(unanswered.map(({ request, ending }) => [request?.target, ending])).toEqual([
        [`/${lost}`, 'lost-in-capture'],
      ]);
      const shifted = run.exchanges.filter(
        ({ request, response }) => request && response && request.target !== `/${response.reason.slice(1)}`,
      );
      expect(shifted.map(pair)).toEqual([]);
      // The loss casts doubt on its neighbours at most.
      expect(run.exchanges.filter(({ pairing }) => pairing === 'exact').length).toBeGreaterThanOrEqual(997);
    },
  );

  it.each([1, 2, 500, 1000])(
    'a thousand sequential requests, request number %d lost in the capture',
    (lost) => {
      const script = opened();
      for (const n of numbers(1, 1000)) script.fromClient(GET(n), { captured: n !== lost }).fromServer(OK(n));
      const run = runSegments(script.fin().segments);
      expect([run.ledger.paired, run.ledger.unanswered, run.ledger.orphans]).toEqual([999, 0, 1]);
      const orphan = run.exchanges.find(({ request }) => request === null);
      expect(orphan?.response?.reason).toBe(`R${lost}`);
      expect(
        run.exchanges.filter(
          ({ request, response }) => request && request.target !== `/${response?.reason.slice(1)}`,
        ),
      ).toEqual([]);
    },
  );
});

describe('after a loss', () => {
  it('sequential exchanges lose nothing but what was lost', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const script = opened();
        const lostRequests = new Set<number>();
        const lostAnswers = new Set<number>();
        const count = 30;
        for (const n of numbers(1, count)) {
          // One of three neighbours at most, and never both sides of one exchange: what remains is certain.
          const near = [n - 1, n - 2].some((other) => lostRequests.has(other) || lostAnswers.has(other));
          const free = !near && n > 1 && n < count;
          const fate = random();
          if (free && fate < 0.15) lostRequests.add(n);
          else if (free && fate < 0.3) lostAnswers.add(n);
          script.fromClient(GET(n), { captured: !lostRequests.has(n) });
          script.fromServer(OK(n), { captured: !lostAnswers.has(n) });
        }
        const found = inOrder(runSegments(script.fin().segments).exchanges).map((one) =>
          pair(one).replace(/[~?]/, ''),
        );
        const expected = numbers(1, count).map((n) =>
          lostRequests.has(n) ? `=${n}` : lostAnswers.has(n) ? `${n}=` : `${n}=${n}`,
        );
        expect(found.sort()).toEqual(expected.sort());
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  const BATCHES = [
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ];
  const batches = (lost: (name: string) => boolean): readonly Segment[] => {
    const script = opened();
    for (const batch of BATCHES) {
      for (const n of batch) script.fromClient(GET(n), { captured: !lost(`Q${n}`), acking: acked(batch) });
      for (const n of batch) script.fromServer(OK(n), { captured: !lost(`A${n}`) });
    }
    return script.fin().segments;
  };
  /** All answers before the batch. */
  const acked = (batch: readonly number[]): number =>
    numbers(1, (batch[0] as number) - 1).reduce((sum, n) => sum + OK(n).length, 0);

  it.each([
    ['nothing', [], '1=1 2=2 3=3 4=4 5=5 6=6 7=7 8=8 9=9'],
    ['the first answer of a batch', ['A4'], '1=1 2=2 3=3 4= 5=5 6=6 7=7 8=8 9=9'],
    ['the last answer of a batch', ['A6'], '1=1 2=2 3=3 4=4 5=5 6= 7=7 8=8 9=9'],
    ['all answers of a batch', ['A4', 'A5', 'A6'], '1=1 2=2 3=3 4= 5= 6= 7=7 8=8 9=9'],
    ['a middle answer', ['A5'], '1=1 2=2 3=3 4=4 5= 6=6 7=7 8=8 9=9'],
  ])('of %s, pipelined batches keep every other pair', (_name, lost, expected) => {
    const found = pairs(runSegments(batches((name) => (lost as string[]).includes(name))));
    expect(found.replace(/[~?]/g, '')).toBe(expected);
  });

  it('of any one packet, the batch before it stays exact and the one after it whole', () => {
    for (const name of numbers(4, 6).flatMap((n) => [`Q${n}`, `A${n}`])) {
      const found = pairs(runSegments(batches((one) => one === name))).split(' ');
      expect(found, name).toEqual(expect.arrayContaining(['1=1', '2=2', '3=3']));
      const whole = found.map((one) => one.replace(/[~?]/, ''));
      expect(whole, name).toEqual(expect.arrayContaining(['7=7', '8=8', '9=9']));
    }
  });

  it('of any one or two packets of sequential exchanges, the others keep their pairs', () => {
    const wrong: string[] = [];
    const names = numbers(1, 5).flatMap((n) => [`Q${n}`, `A${n}`]);
    // Of a request between two lost ones nothing tells which answer is its own.
    const losses = names
      .flatMap((one, at) => [[one], ...names.slice(at + 2).map((two) => [one, two])])
      .filter(
        ([one, two]) => !(one?.[0] === 'Q' && two?.[0] === 'Q' && Number(two[1]) - Number(one[1]) === 2),
      );
    for (const lost of losses) {
      const script = opened();
      for (const n of numbers(1, 5)) {
        script.fromClient(GET(n), { captured: !lost.includes(`Q${n}`) });
        script.fromServer(OK(n), { captured: !lost.includes(`A${n}`) });
      }
      const found = pairs(runSegments(script.fin().segments))
        .replace(/[~?]/g, '')
        .split(' ')
        .sort()
        .join(' ');
      const expected = numbers(1, 5)
        .map((n) => `${lost.includes(`Q${n}`) ? '' : n}=${lost.includes(`A${n}`) ? '' : n}`)
        .filter((one) => one !== '=')
        .sort()
        .join(' ');
      if (found !== expected) wrong.push(`lost ${lost.join(' ')}: ${found}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('without a loss', () => {
  it('every mix of sequential and pipelined is exact', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (sizes, seed) => {
          const random = seededRandom(seed);
          const script = opened();
          let next = 1;
          for (const size of sizes) {
            const batch = numbers(next, next + size - 1);
            next += size;
            script.fromClient(batch.map(GET).join(''), { segments: 1 + Math.floor(random() * 3) });
            script.fromServer(batch.map(OK).join(''), { segments: 1 + Math.floor(random() * 5) });
          }
          expect(pairs(runSegments(script.fin().segments))).toBe(
            numbers(1, next - 1)
              .map((n) => `${n}=${n}`)
              .join(' '),
          );
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
  });

  it('a client that sends on while it waits is exact', () => {
    // Request n + 2 goes out when answer n has come: there are always two on the way.
    const script = opened().fromClient(GET(1)).fromClient(GET(2));
    let received = 0;
    for (const n of numbers(1, 50)) {
      script.fromServer(OK(n));
      received += OK(n).length;
      if (n + 2 <= 50) script.fromClient(GET(n + 2), { acking: received });
    }
    expect(pairs(runSegments(script.fin().segments))).toBe(
      numbers(1, 50)
        .map((n) => `${n}=${n}`)
        .join(' '),
    );
  });

  it('acknowledgement numbers that lag behind do no harm', () => {
    // The server's segments acknowledge nothing, as offload engines and broken stacks may have it.
    const script = opened();
    for (const n of numbers(1, 10)) script.fromClient(GET(n)).fromServer(OK(n), { acking: 0 });
    expect(pairs(runSegments(script.fin().segments)).replace(/~/g, '')).toBe(
      numbers(1, 10)
        .map((n) => `${n}=${n}`)
        .join(' '),
    );
  });

  it('only one side captured: requests without answers, or answers without requests', () => {
    const script = opened();
    for (const n of numbers(1, 5)) script.fromClient(GET(n)).fromServer(OK(n));
    const { segments } = script.fin();
    expect(pairs(runSegments(segments.filter(({ fromClient }) => fromClient))).replace(/[~?]/g, '')).toBe(
      '1= 2= 3= 4= 5=',
    );
    expect(pairs(runSegments(segments.filter(({ fromClient }) => !fromClient))).replace(/[~?]/g, '')).toBe(
      '=1 =2 =3 =4 =5',
    );
  });
});
