// Where tshark and Wirelens see a fixture differently, and who is right. A reason is required.

/** fixture name → why its exchanges are not compared with tshark's. */
export const NOT_COMPARED = {
  'http-0.9': 'tshark does not know answers without a head',
  'smuggling-shapes': 'framing that implementations understand differently is the point of this fixture',
  'odd-methods-and-targets': 'tshark reads no request with a method that it does not know',
  'lossy-mirror': 'packets are missing: tshark pairs by order and shifts',
  'lost-packets': 'packets are missing: tshark pairs by order and shifts',
  'gap-in-head': 'tshark does not go on in a stream with a hole',
  'gap-in-body': 'tshark does not go on in a stream with a hole',
  'gap-in-chunked-body': 'tshark does not go on in a stream with a hole',
  'sequential-one-response-lost': 'tshark pairs by order and shifts after a lost answer',
  'sequential-one-request-lost': 'tshark pairs by order and shifts after a lost request',
  'overlap-conflict': 'tshark takes the bytes seen last',
  'overlap-conflict-waiting': 'tshark takes the bytes seen last',
  'mid-stream': 'tshark reads the rest of an answer as something else',
  'nginx-snaplen': 'tshark does not go on behind bytes that were cut',
  'connect-proxy': 'tshark does not read HTTP inside a CONNECT tunnel by default',
  'nginx-pipelining': 'tshark takes the stated length of an answer to HEAD for a body and misses what follows',
  'pipelined-with-head-and-304': 'tshark takes the stated length of an answer to HEAD for a body and misses what follows',
  'bare-lf': 'tshark reads no request behind empty lines',
  'chunked-cut-everywhere': 'tshark finds no answer whose first segment is a single byte',
  'early-response': 'tshark pairs the early answer only when the request is whole',
};
