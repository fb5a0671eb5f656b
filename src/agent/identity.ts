import { UserError } from '../model/errors.ts';

/** Who an agent is: as the server lists it, and as its exchanges are marked. See BatchOrigin. */
export interface Identity {
  readonly agent: string;
  readonly node: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
}

export const LONGEST_NAME = 200;
/** No control or format characters, no lone surrogates: it is shown in tables and sent in a header. */
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u;

/** @throws UserError for a name that a server would refuse. `option`: `--node`. */
export function checkName(name: string, option: string): string {
  if (name.trim() !== '' && name.length <= LONGEST_NAME && PRINTABLE.test(name)) return name;
  throw new UserError('usage', `${option} must be 1 to ${LONGEST_NAME} printable characters`, {
    exitCode: 2,
  });
}

/** Header fields of an upload that say who sends it. Values are UTF-8, byte by byte. */
export function identityHeaders({ agent, node, pod, namespace }: Identity): Record<string, string> {
  const headers: Record<string, string> = { 'x-wirelens-agent': asHeader(agent) };
  if (node !== null) headers['x-wirelens-node'] = asHeader(node);
  if (pod !== null) headers['x-wirelens-pod'] = asHeader(pod);
  if (namespace !== null) headers['x-wirelens-namespace'] = asHeader(namespace);
  return headers;
}

const asHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
