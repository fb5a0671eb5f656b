/** File name patterns as shells have them: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before a character meant as it is. */

type Token =
  | { readonly kind: 'one'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'many' }
  | { readonly kind: 'set'; readonly ranges: readonly (readonly [string, string])[]; readonly not: boolean };

/** True when a path has characters that make it a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** Tells whether a name matches one component of a pattern. As in shells, `*` does not match a leading dot. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const tokens = tokensOf([...pattern]);
  const hiddenToo = pattern.startsWith('.');
  return (name) => (hiddenToo || !name.startsWith('.')) && matches(tokens, [...name]);
}

function tokensOf(pattern: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '*') tokens.push({ kind: 'many' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character === '\\' && at + 1 < pattern.length)
      tokens.push({ kind: 'one', character: pattern[++at] });
    else if (character === '[') {
      const end = pattern.indexOf(']', at + (/[!^]/.test(pattern[at + 1] ?? '') ? 3 : 2));
      if (end < 0) tokens.push({ kind: 'one', character });
      else {
        tokens.push(setOf(pattern.slice(at + 1, end)));
        at = end;
      }
    } else tokens.push({ kind: 'one', character });
  }
  return tokens;
}

function setOf(inside: readonly string[]): Token {
  const not = inside[0] === '!' || inside[0] === '^';
  const ranges: [string, string][] = [];
  for (let at = not ? 1 : 0; at < inside.length; at++) {
    if (inside[at + 1] === '-' && at + 2 < inside.length) {
      ranges.push([inside[at], inside[at + 2]]);
      at += 2;
    } else ranges.push([inside[at], inside[at]]);
  }
  return { kind: 'set', ranges, not };
}

/** Takes time proportional to the two lengths multiplied: only the last `*` is ever tried again. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (token < tokens.length && tokens[token].kind === 'many') {
      star = token++;
      starAt = at;
    } else if (token < tokens.length && matchesOne(tokens[token], name[at])) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (token < tokens.length && tokens[token].kind === 'many') token++;
  return token === tokens.length;
}

function matchesOne(token: Token, character: string): boolean {
  if (token.kind === 'any') return true;
  if (token.kind === 'one') return token.character === character;
  if (token.kind !== 'set') return false;
  return token.ranges.some(([low, high]) => character >= low && character <= high) !== token.not;
}
