import type { BatchColumnFacts } from './batch-columns.ts';
import { canonicalAddress } from './canonical-address.ts';
import { canonicalForm, FORM_WORDS } from './json-forms.ts';
import { isWellFormed } from './well-formed.ts';

/** What may stand in a column: the same rules for who sends and for who receives. */

const UID = /^[0-9a-f]{16}$/;

/** A text as it is to be stored, or a sentence that says why it is not: `{ mistake }`. */
export type CheckedText = string | { readonly mistake: string };

/** Throws UserError where a column of JSON holds none. `madeHere`: what this program wrote in a form needs no second look. */
export function checkText(column: BatchColumnFacts, text: string, madeHere = false): CheckedText {
  const { maxBytes, words, form } = column;
  // At least a byte and at most 3 for each UTF-16 unit.
  if (text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes))
    return { mistake: `a text of more than ${maxBytes} bytes` };
  if (words !== null) return words.includes(text) ? text : { mistake: `none of ${words.join(', ')}` };
  switch (form) {
    case 'any':
      return isWellFormed(text)
        ? text
        : { mistake: 'a text with half of a surrogate pair, which UTF-8 cannot hold' };
    case 'address':
      return canonicalAddress(text) ?? { mistake: 'not an IP address' };
    case 'uid':
      return madeHere || UID.test(text) ? text : { mistake: 'not 16 hexadecimal digits in small letters' };
    default:
      if (madeHere) return text;
      return canonicalForm(form, text) ?? { mistake: `not ${FORM_WORDS[form]}` };
  }
}

/** A sentence that says why the number cannot stand there; null: it can. */
export function numberMistake(column: BatchColumnFacts, value: number): string | null {
  const { type, minimum, maximum } = column;
  if (type === 'integer' && !Number.isInteger(value)) return 'not a whole number';
  if (value >= minimum && value <= maximum) return null;
  return `not a number from ${minimum} to ${maximum}`;
}
