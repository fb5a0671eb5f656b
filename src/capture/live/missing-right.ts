export interface Circumstances {
  /** Path of the Node that runs. */
  readonly node: string;
  /** User 0, which has the right unless something took it away. */
  readonly root: boolean;
  readonly kubernetes: boolean;
  readonly container: boolean;
}

/** What to say, on one line, when the kernel does not let this process capture. */
export function missingRight({ node, root, kubernetes, container }: Circumstances): {
  what: string;
  hint: string;
} {
  const what = 'capturing takes the capability CAP_NET_RAW, which this process does not have';
  if (kubernetes) {
    return {
      what,
      hint: 'give the container securityContext.capabilities.add: ["NET_RAW"] and run it as user 0',
    };
  }
  if (container) return { what, hint: 'start the container with --cap-add NET_RAW, and as user 0' };
  if (root)
    return { what, hint: 'it was taken from user 0 here; start the service or sandbox with CAP_NET_RAW' };
  return {
    what,
    hint: `use sudo, or grant it to Node once: sudo setcap cap_net_raw+ep ${quoted(node)}`,
  };
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
