import { sanitise } from '../../report/terminal-text.ts';
import { isPlaceholder } from './place.ts';

/** Texts of a dictionary of routes, as PinnedRoutes.parse reads them. Safe for a terminal. */

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** A host in front of a template; the empty text for none. A dictionary has no other way to say "without Host". */
export function hostText(host: string | null): string {
  return host === null ? '' : sanitise(host.replace(/[\\#/]|\s/g, escaped));
}

/** A template. Characters that mean something in a dictionary are escaped where they are meant as themselves. */
export function templateText(route: string): string {
  const segments = route.split('/').map((segment, index, all) => {
    // Only at the end does it stand for everything that follows.
    if (segment === '…' && index < all.length - 1) return escaped(segment);
    // The braces of a placeholder mean what they say.
    const special = isPlaceholder(segment) ? /[\\#]|\s/g : /[\\#{}*]|\s/g;
    return sanitise(segment.replace(special, escaped));
  });
  return segments.join('/');
}
