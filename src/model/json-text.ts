/** JSON allows these as they are; a terminal that shows the line may act on them (DEL, C1, bidi overrides …). */
const UNSAFE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

const PLAIN = /^[\x20-\x7e]*$/;

function escapeUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index += 1) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/**
 * The value as JSON: on one line, or with `indent` spaces on several. Lone surrogates and what a terminal could act
 * on come out as escapes, so whatever strangers sent may be printed anywhere.
 */
export function jsonText(value: unknown, indent = 0): string {
  const json = JSON.stringify(value, null, indent);
  return PLAIN.test(json) ? json : json.replace(UNSAFE, escapeUnits);
}
