import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildExchange, buildRequest, buildResponse } from '../../test/build-exchange.ts';
import { exchangeUid, sequencesOf, uidHigh, uidLow } from './exchange-uid.ts';

const half = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));

describe('exchangeUid', () => {
  it('has 16 digits whatever the numbers are', () => {
    fc.assert(
      fc.property(half, half, (sequence, other) => {
        const exchange = buildExchange({
          request: buildRequest({ sequence }),
          response: buildResponse({ sequence: other }),
        });
        const uid = exchangeUid(exchange) ?? '';
        expect(uid).toMatch(/^[0-9a-f]{16}$/);
        expect([Number(`0x${uid.slice(0, 8)}`), Number(`0x${uid.slice(8)}`)]).toEqual([sequence, other]);
      }),
    );
  });

  it('is not known without sequence numbers', () => {
    expect(exchangeUid(buildExchange({ request: buildRequest({ sequence: -1 }) }))).toBeNull();
    expect(exchangeUid(buildExchange({ response: buildResponse({ sequence: -1 }) }))).toBeNull();
  });

  it('takes the ports where nothing was acknowledged: 5000 and 80', () => {
    const request = buildRequest({ sequence: 1, acknowledges: -1 });
    expect(exchangeUid(buildExchange({ request, response: null }))).toBe('0000000113880050');
    const response = buildResponse({ sequence: 2, acknowledges: -1 });
    expect(exchangeUid(buildExchange({ request: null, response }))).toBe('1388005000000002');
  });

  it('comes out of the numbers that sequencesOf gives', () => {
    fc.assert(
      fc.property(half, half, fc.constantFrom('both', 'request', 'response'), (high, low, which) => {
        const numbers = sequencesOf(high, low, which !== 'response', which !== 'request');
        const message = ([sequence, acknowledges]: readonly [number, number]) => ({ sequence, acknowledges });
        const exchange = buildExchange({
          request: which === 'response' ? null : buildRequest(message(numbers.request)),
          response: which === 'request' ? null : buildResponse(message(numbers.response)),
        });
        expect([uidHigh(exchange), uidLow(exchange)]).toEqual([high, low]);
      }),
    );
  });
});
