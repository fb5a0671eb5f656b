// Where tshark and Wirelens see a fixture differently, and who is right. A reason is required.

/** fixture name → why its exchanges differ from tshark's. One that does not differ any more must leave the list. */
export const KNOWN_DIFFERENCES = {
  'smuggling-shapes': 'framing that implementations understand differently is the point of this fixture',
  'odd-methods-and-targets':
    'tshark reads no request with a method that it does not know, and prints non-ASCII bytes as U+FFFD',
  'lossy-mirror': 'packets are missing: tshark does not go on in a stream with a hole',
  'lost-packets': 'packets are missing: tshark does not go on in a stream with a hole',
  'gap-in-head': 'tshark does not go on in a stream with a hole',
  'gap-in-body': 'tshark does not go on in a stream with a hole',
  'sequential-one-response-lost': 'tshark does not go on in a stream with a hole',
  'sequential-one-request-lost': 'tshark does not go on in a stream with a hole',
  'mid-stream': 'tshark reads the rest of an answer as something else',
  'nginx-snaplen': 'tshark does not go on behind bytes that were cut',
  'connect-proxy': 'tshark does not read HTTP inside a CONNECT tunnel by default',
  'nginx-pipelining':
    'tshark takes the stated length of an answer to HEAD for a body and misses what follows',
  'pipelined-with-head-and-304':
    'tshark takes the stated length of an answer to HEAD for a body and misses what follows',
  'http-0.9': 'tshark reads no request without a version and no answer without a status line',
  'bare-lf': 'tshark reads no request behind empty lines',
  'chunked-cut-everywhere': 'tshark finds no answer whose first segment is a single byte',
  'kubernetes-node': 'tshark takes the two sides of an address translation for two connections',
  'service-dnat': 'tshark takes the two sides of an address translation for two connections',
  'snat-node': 'tshark takes the two sides of an address translation for two connections',
};
