import { pathOf, routeOf } from '../model/route.ts';

/** Targets remembered; then the memory starts anew. Longer targets are worked out each time. */
const TARGETS_REMEMBERED = 32_768;
const LONGEST_TARGET = 512;

/** The same function with a memory of bounded size. */
function remembering(work: (target: string) => string): (target: string) => string {
  const known = new Map<string, string>();
  return (target) => {
    let result = known.get(target);
    if (result !== undefined) return result;
    result = work(target);
    if (target.length > LONGEST_TARGET) return result;
    if (known.size >= TARGETS_REMEMBERED) known.clear();
    known.set(target, result);
    return result;
  };
}

export const pathOfTarget = remembering(pathOf);
export const routeOfTarget = remembering(routeOf);
