import { MASK } from '../model/secrets.ts';
import { isSecretName, maskedText } from './secrets.ts';

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/y;
/** Deeper values stay on one level. */
const DEEPEST_INDENT = 32;

interface Level {
  readonly isObject: boolean;
  isEmpty: boolean;
}

/**
 * JSON on lines of its own, with the values of secret members masked, everything else as sent: numbers keep their
 * digits, members their order. Text that ends or stops being JSON somewhere is laid out up to there, and goes on as
 * it is; null: it does not begin as a JSON object or array. Linear in the length of the text.
 */
export function jsonText(text: string, mask: boolean): { text: string; fault: boolean } | null {
  const start = /^\uFEFF?\s*/.exec(text)?.[0].length ?? 0;
  if (text[start] !== '{' && text[start] !== '[') return null;
  const levels: Level[] = [];
  const out: string[] = [];
  let at = start;
  let isKey = false;
  let isSecret = false;
  /** Depth inside a value that is masked whole; 0: none. */
  let hiddenDepth = 0;
  const indent = (): string => `\n${'  '.repeat(Math.min(DEEPEST_INDENT, levels.length))}`;
  const show = (token: string): void => {
    if (hiddenDepth === 0) out.push(token);
  };
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) break;
    at += token.length;
    const first = token[0];
    if (first === ' ' || first === '\n' || first === '\r' || first === '\t') continue;
    const level = levels.at(-1);
    if (first === '}' || first === ']') {
      levels.pop();
      if (hiddenDepth > 0) hiddenDepth -= 1;
      else out.push(level === undefined || level.isEmpty ? token : indent() + token);
      if (levels.length === 0) return { text: out.join(''), fault: text.slice(at).trim() !== '' };
      continue;
    }
    if (level?.isEmpty === true && first !== ',') {
      level.isEmpty = false;
      show(indent());
      isKey = level.isObject;
    }
    if (first === ',') {
      show(`,${indent()}`);
      isKey = level?.isObject === true;
    } else if (first === ':') show(': ');
    else if (first === '{' || first === '[') {
      if (hiddenDepth > 0) hiddenDepth += 1;
      else if (isSecret) {
        out.push(`"${MASK}"`);
        hiddenDepth = 1;
      } else out.push(token);
      isSecret = false;
      levels.push({ isObject: first === '{', isEmpty: true });
    } else if (isKey) {
      isKey = false;
      isSecret = mask && hiddenDepth === 0 && isSecretName(unquoted(token));
      show(token);
    } else {
      show(isSecret && token !== 'null' ? `"${MASK}"` : token);
      isSecret = false;
    }
  }
  // What is cut in the middle of a secret must not show its beginning.
  if (isSecret || hiddenDepth > 0) {
    const shown = at < text.length && hiddenDepth === 0 ? `"${MASK}` : '';
    return { text: out.join('') + shown, fault: true };
  }
  const rest = text.slice(at);
  return { text: out.join('') + (mask ? maskedText(rest) : rest), fault: true };
}

function unquoted(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    return token;
  }
}
