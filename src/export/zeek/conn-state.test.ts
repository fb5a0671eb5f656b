import { describe, expect, it } from 'vitest';
import { buildConnection } from '../../../test/build-exchange.ts';
import type { DirectionTotals } from '../../model/exchange.ts';
import { connState } from './conn-state.ts';

const bytes = (payloadBytes: number): DirectionTotals => ({ ...buildConnection().fromClient, payloadBytes });
const stateOf = (history: string, payloadBytes = /d/i.test(history) ? 100 : 0): string | null =>
  connState(buildConnection({ history, fromClient: bytes(payloadBytes), fromServer: bytes(payloadBytes) }));

/**
 * The states as Zeek's documentation of conn.log words them, each with histories that its words describe: what the
 * originator (upper case) and the responder (lower case) sent.
 */
const DOCUMENTED: readonly (readonly [state: string, words: string, ...histories: string[]])[] = [
  ['S0', 'connection attempt seen, no reply', 'S'],
  ['S1', 'connection established, not terminated', 'Sh', 'ShA', 'ShADad', 'ShADadTtGg'],
  ['SF', 'normal establishment and termination', 'ShADadFf', 'ShADadfF', 'ShADaFdf', 'ShAFf'],
  ['REJ', 'connection attempt rejected', 'Sr', 'SrR'],
  ['S2', 'established and close attempt by originator seen, no reply from responder', 'ShADadF', 'ShADaFd'],
  ['S3', 'established and close attempt by responder seen, no reply from originator', 'ShADadf', 'ShAdfA'],
  ['RSTO', 'established, originator aborted', 'ShADadR', 'ShR', 'ShAR', 'ShADadFR'],
  ['RSTR', 'established, responder aborted', 'ShADadr', 'ShADadfr', 'ShAr', 'ShADFr'],
  ['RSTOS0', 'originator sent a SYN followed by a RST, no SYN-ACK from the responder', 'SR', '^SR'],
  ['RSTRH', 'responder sent a SYN ACK followed by a RST, no SYN from the originator', 'hr', '^hr'],
  ['SH', 'originator sent a SYN followed by a FIN, no SYN ACK from the responder', 'SF', 'SADF'],
  ['SHR', 'responder sent a SYN ACK followed by a FIN, no SYN from the originator', 'hf'],
  ['OTH', 'no SYN seen, just midstream traffic', 'DadA', 'Dd', 'A', 'h', 'DR'],
];

describe('conn_state', () => {
  it.each(DOCUMENTED)('%s: %s', (state, _, ...histories) => {
    expect(histories.map((history) => [history, stateOf(history)])).toEqual(
      histories.map((history) => [history, state]),
    );
  });

  it('takes a reset after both have closed for tidying up', () => {
    for (const history of ['ShADadFfR', 'ShADadfFr', 'ShADadFfRr']) expect(stateOf(history)).toBe('SF');
  });

  it('takes a FIN that answers FIN and RST for a normal end', () => {
    expect(stateOf('ShADadFRf')).toBe('SF');
  });

  it('takes resets from both sides for a rejection when nobody sent anything', () => {
    expect(stateOf('ShRr', 0)).toBe('REJ');
    expect(stateOf('ShADdRr', 10)).toBe('RSTR');
  });

  it('takes a connection whose SYN alone is missing for established', () => {
    expect(stateOf('hADd')).toBe('S1');
    expect(stateOf('hADdFf')).toBe('SF');
  });

  it('is not thrown off by an ACK before the SYN/ACK', () => {
    expect(stateOf('SahADd')).toBe('S1');
    expect(stateOf('Sa')).toBe('S0');
  });

  it('says nothing without a history', () => {
    expect(stateOf('')).toBeNull();
  });
});
