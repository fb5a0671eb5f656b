import type { FollowOptions } from './options.ts';
import { FollowSource } from './source.ts';
import { type FollowTarget, followTarget } from './target.ts';
import { nodeFileWatch } from './watch.ts';

/**
 * Opens files, patterns and directories to be followed: what is in them now, what is added, and files that come
 * later. Throws UserError for a target that cannot be followed, and for one that names just one file which is not a
 * capture.
 */
export async function followCaptures(
  texts: readonly string[],
  options: FollowOptions,
): Promise<FollowSource> {
  const watch = options.watch ?? nodeFileWatch();
  try {
    const targets: FollowTarget[] = [];
    for (const text of texts) targets.push(await followTarget(text, watch));
    const source = new FollowSource(targets, watch, options);
    await source.begin();
    return source;
  } catch (error) {
    watch.close();
    throw error;
  }
}
