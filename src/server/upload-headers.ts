import type { IncomingHttpHeaders } from 'node:http';
import type { BatchNumber, BatchOrigin } from '../model/row-batch.ts';
import { AnswerError } from './answer-error.ts';
import { NAME_PATTERN } from './schemas/common.ts';

const NAME = new RegExp(NAME_PATTERN, 'u');
const LONGEST_NAME = 200;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Who is called so when they do not say who they are: people with curl, and LightObs' agents. A batch must say it. */
const UNNAMED = { batch: null, lines: 'unnamed', lightobs: 'lightobs' } as const;

/** @throws AnswerError 400 `agent-missing`, `invalid-name` */
export function originOf(headers: IncomingHttpHeaders, form: keyof typeof UNNAMED): BatchOrigin {
  const agent = nameOf(headers, 'x-wirelens-agent') ?? UNNAMED[form];
  if (agent === null)
    throw new AnswerError(400, 'agent-missing', 'header field X-Wirelens-Agent is missing', {
      hint: 'say who saw these exchanges',
    });
  return {
    agent,
    node: nameOf(headers, 'x-wirelens-node'),
    pod: nameOf(headers, 'x-wirelens-pod'),
    namespace: nameOf(headers, 'x-wirelens-namespace'),
  };
}

/** Node hands header fields out as Latin-1; names are UTF-8. */
function nameOf(headers: IncomingHttpHeaders, field: string): string | null {
  const value = headers[field];
  if (value === undefined) return null;
  const text = utf8(String(value));
  if (text !== null && text.length >= 1 && text.length <= LONGEST_NAME && NAME.test(text)) return text;
  throw new AnswerError(
    400,
    'invalid-name',
    `header field ${field} must be 1 to 200 printable characters in UTF-8`,
  );
}

function utf8(latin1: string): string | null {
  try {
    return UTF8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return null;
  }
}

/** Both or none; their forms were checked. @throws AnswerError 400 `invalid-batch-number` */
export function batchNumberOf(headers: IncomingHttpHeaders): BatchNumber | null {
  const stream = headers['x-wirelens-stream'];
  const number = headers['x-wirelens-batch'];
  if (stream === undefined && number === undefined) return null;
  const value = Number(number);
  if (stream === undefined || number === undefined || !Number.isSafeInteger(value))
    throw new AnswerError(
      400,
      'invalid-batch-number',
      'X-Wirelens-Stream and X-Wirelens-Batch belong together',
      {
        hint: 'send both (the number from 1 to 2^53-1) or neither',
      },
    );
  return { stream: String(stream), number: value };
}
