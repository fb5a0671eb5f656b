import { expect, it } from 'vitest';
import { captureInterface, emptyFacts } from '../capture/capture-facts.ts';
import type { CaptureFacts } from '../model/packet.ts';
import { MergedFacts } from './merged-facts.ts';

/** Facts of a worker: names of interfaces in the order in which it met them, and packets of each. */
function factsOf(names: readonly (readonly [name: string | null, packets: number])[]): CaptureFacts {
  const facts = emptyFacts('any', 'live', 'none', 'little');
  names.forEach(([name, packets], number) => {
    facts.interfaces.push({ ...captureInterface(number, 276, 0), name, packets });
    facts.packets += packets;
  });
  return facts;
}

it('gives an interface one number, whatever numbers the workers have for it', () => {
  const merged = new MergedFacts(factsOf([]));
  const { facts } = merged;
  merged.take(0, factsOf([['eth0', 1], ['lo', 2]])); // biome-ignore format: short
  merged.take(1, factsOf([['lo', 3], ['veth1', 4], ['eth0', 5]])); // biome-ignore format: short
  expect(facts.interfaces.map(({ number, name, packets }) => [number, name, packets])).toEqual([
    [0, 'eth0', 6],
    [1, 'lo', 5],
    [2, 'veth1', 4],
  ]);
  expect([0, 1, 2].map((number) => merged.interfaceNumber(1, number))).toEqual([1, 2, 0]);
  // What a worker says later takes the place of what it said before.
  merged.take(0, factsOf([['eth0', 10], ['lo', 2]])); // biome-ignore format: short
  expect([facts.packets, facts.interfaces[0]?.packets]).toEqual([24, 15]);
});

it('keeps interfaces without a name apart', () => {
  const merged = new MergedFacts(factsOf([]));
  merged.take(0, factsOf([[null, 1]]));
  merged.take(1, factsOf([[null, 1]]));
  expect(merged.facts.interfaces.length).toBe(2);
  expect(merged.interfaceNumber(1, 0)).toBe(1);
});

it('spans the times of all', () => {
  const merged = new MergedFacts(factsOf([]));
  merged.take(0, { ...factsOf([]), firstNs: 20, lastNs: 30 });
  merged.take(1, { ...factsOf([]), firstNs: null, lastNs: null });
  merged.take(2, { ...factsOf([]), firstNs: 25, lastNs: 50 });
  expect([merged.facts.firstNs, merged.facts.lastNs]).toEqual([20, 50]);
});
