import { describe, expect, it } from 'vitest';
import { missingRight } from './missing-right.ts';

const here = { node: '/usr/bin/node', root: false, kubernetes: false, container: false };

describe('the hint when the right to capture is missing', () => {
  it('names the capability and a command that can be copied', () => {
    const { what, hint } = missingRight(here);
    expect(what).toContain('CAP_NET_RAW');
    expect(hint).toContain('sudo setcap cap_net_raw+ep /usr/bin/node');
    expect(missingRight({ ...here, node: "/home/o'neil/a b/node" }).hint).toContain(
      "setcap cap_net_raw+ep '/home/o'\\''neil/a b/node'",
    );
  });

  it('is the one for where Wirelens runs', () => {
    expect(missingRight({ ...here, kubernetes: true, container: true }).hint).toContain(
      'capabilities.add: ["NET_RAW"]',
    );
    expect(missingRight({ ...here, container: true }).hint).toContain('--cap-add NET_RAW');
    expect(missingRight({ ...here, root: true }).hint).not.toContain('sudo');
  });
});
