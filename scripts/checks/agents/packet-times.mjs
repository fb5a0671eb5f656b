// How long requests took at one end of the line, by tcpdump and tshark: no program's turn at the processor is in it.

import { run, start, until } from '../live/programs.mjs';

/** Begins to record in the host. `stop()` gives ms from request to response by target, of responses in one packet. */
export async function recordTimes(lab, host, name) {
  const file = lab.file(`${name}.pcap`);
  const words = ['tcpdump', '-i', 'eth0', '-U', '-B', '65536', '-s', '0', '-w', file, 'tcp port 8000'];
  const recorder = start([...host.in, ...words]);
  await until(() => recorder.text('stderr').includes('listening on'), 'start of tcpdump', 60_000);
  return {
    async stop() {
      recorder.child.kill('SIGINT');
      await recorder.ended;
      const fields = ['-e', 'http.response_for.uri', '-e', 'http.time'];
      const shown = run(
        'tshark',
        '-r',
        file,
        '-d',
        'tcp.port==8000,http',
        '-Y',
        'http.response',
        '-T',
        'fields',
        ...fields,
      );
      const rows = shown
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t'));
      // The URI comes with scheme and host.
      return new Map(
        rows.map(([uri, seconds]) => [uri.replace(/^\w+:\/\/[^/]+/, ''), Number(seconds) * 1000]),
      );
    },
  };
}
