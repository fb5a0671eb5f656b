import { isIP } from 'node:net';
import { AnswerError } from './answer-error.ts';
import type { Access, Tokens } from './context.ts';

const BEARER = /^Bearer +([^\s]{1,1024})$/i;
const CHALLENGE = { 'www-authenticate': 'Bearer realm="wirelens"' };

/**
 * Lets a request with the right token pass. Both kinds are always compared, so the time says nothing.
 *
 * @throws AnswerError 401 `no-token`, `wrong-token`; 403 `wrong-kind-of-token`
 */
export function authorise(access: Access, header: string | undefined, tokens: Tokens): void {
  if (access === 'open') return;
  const wanted = tokens[access];
  if (wanted === null) return;
  if (header === undefined)
    throw new AnswerError(401, 'no-token', `a token for ${WHO[access]} is needed`, {
      hint: 'send it as Authorization: Bearer TOKEN',
      headers: CHALLENGE,
    });
  const token = BEARER.exec(header)?.[1] ?? '';
  const right = wanted.has(token);
  const other = tokens[access === 'agent' ? 'reader' : 'agent']?.has(token) ?? false;
  if (right) return;
  if (other)
    throw new AnswerError(403, 'wrong-kind-of-token', `this token is not for ${WHO[access]}`, {
      hint: `use a token for ${WHO[access]}`,
    });
  throw new AnswerError(401, 'wrong-token', 'the token is wrong', { headers: CHALLENGE });
}

const WHO = { agent: 'agents', reader: 'readers' } as const;

/**
 * Where no token keeps strangers out, a web page must not reach the server under a name of its own that leads here (DNS
 * rebinding). `host`: the Host field.
 *
 * @throws AnswerError 403 `foreign-host`
 */
export function checkLocalHost(host: string | undefined): void {
  const name = (host ?? '')
    .replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return;
  throw new AnswerError(
    403,
    'foreign-host',
    'without tokens this server answers to localhost and addresses only',
    {
      hint: 'ask it by its address, or give it tokens',
    },
  );
}
