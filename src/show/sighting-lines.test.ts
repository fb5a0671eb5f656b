import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildInterface,
  buildSighting,
} from '../../test/build-exchange.ts';
import { NO_STYLE } from '../report/style.ts';
import { displayWidth } from '../report/terminal-text.ts';
import { sightingLines } from './sighting-lines.ts';

const captures = [
  buildCapture({
    interfaces: [
      buildInterface({ number: 0, name: 'veth1' }),
      buildInterface({ number: 7, name: 'cni0\u001b[31m' }),
    ],
  }),
];
const client = buildSighting({
  interfaceNumber: 0,
  server: { address: '10.96.0.1', port: 80, text: '10.96.0.1:80' },
});
const server = buildSighting({ tunnels: [{ kind: 'vxlan', id: 5 }] });
/** The request, at 2 ms, takes 30 µs to the server's side; the response is seen there 40 µs before the client's. */
const exchange = buildExchange({
  connection: buildConnection({ sightings: [client, server] }),
  sightings: [
    { at: server, requestNs: 2_030_000, responseNs: 11_960_000 },
    { at: client, requestNs: 2_000_000, responseNs: 12_000_000 },
  ],
});
const lines = (width: number): string[] => sightingLines(exchange, { width, style: NO_STYLE, captures });

describe('the places of an exchange', () => {
  it('are shown in the order of the way, with the delay of every hop in both directions', () => {
    const [, , first, second] = lines(120);
    expect(first).toMatch(
      /^ {2}veth1 +10\.0\.0\.1:5000 -> 10\.96\.0\.1:80 +\+0 ns +\+10\.0 ms \(\+40\.0 µs\)$/,
    );
    expect(second).toMatch(
      /vxlan 5 +10\.0\.0\.1:5000 -> 10\.244\.1\.7:8080 +\+30\.0 µs \(\+30\.0 µs\) +\+9\.96 ms$/,
    );
  });

  it.each([40, 80, 200])(
    'fit into %d columns, addresses below where they must, and nothing that a terminal obeys',
    (width) => {
      for (const line of lines(width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      const text = lines(width).join('\n');
      expect(text).toContain('44.1.7:8080');
      expect(text).not.toContain('\u001b');
    },
  );

  it('are not shown when there is one', () => {
    expect(sightingLines(buildExchange(), { width: 80, style: NO_STYLE, captures })).toEqual([]);
  });
});
