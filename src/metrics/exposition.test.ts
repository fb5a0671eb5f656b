import { describe, expect, it } from 'vitest';
import { MetricSet, SERIES_LIMIT } from './exposition.ts';

describe('text for Prometheus', () => {
  it('shows counters, gauges and histograms as the format has them', () => {
    const set = new MetricSet('wirelens_test_');
    const requests = set.counter('requests_total', 'Requests.', ['method', 'status']);
    set.counter('nothing_total', 'Nothing yet.');
    const size = set.gauge('size_bytes', 'A size.');
    const duration = set.histogram('duration_seconds', 'Times.', [0.1, 1]);
    requests.add(1, 'GET', '200');
    requests.add(2, 'GET', '200');
    requests.add(1, 'POST', '503');
    size.set(1.5);
    for (const value of [0.05, 0.1, 0.5, 7]) duration.observe(value);
    // Written by hand after the format's description.
    expect(set.text()).toBe(`# HELP wirelens_test_requests_total Requests.
# TYPE wirelens_test_requests_total counter
wirelens_test_requests_total{method="GET",status="200"} 3
wirelens_test_requests_total{method="POST",status="503"} 1
# HELP wirelens_test_nothing_total Nothing yet.
# TYPE wirelens_test_nothing_total counter
wirelens_test_nothing_total 0
# HELP wirelens_test_size_bytes A size.
# TYPE wirelens_test_size_bytes gauge
wirelens_test_size_bytes 1.5
# HELP wirelens_test_duration_seconds Times.
# TYPE wirelens_test_duration_seconds histogram
wirelens_test_duration_seconds_bucket{le="0.1"} 2
wirelens_test_duration_seconds_bucket{le="1"} 3
wirelens_test_duration_seconds_bucket{le="+Inf"} 4
wirelens_test_duration_seconds_sum 7.65
wirelens_test_duration_seconds_count 4
`);
  });

  it('escapes and cuts what strangers named', () => {
    const set = new MetricSet('t_');
    set.gauge('g', 'With \\ and\nline.', ['agent']).set(1, 'a"b\\c\nd\ud800');
    expect(set.text()).toContain('# HELP t_g With \\\\ and\\nline.\n');
    expect(set.text()).toContain('t_g{agent="a\\"b\\\\c\\nd\ufffd"} 1\n');
    set.gauge('long', 'Long.', ['agent']).set(1, 'x'.repeat(10_000));
    expect(set.text().length).toBeLessThan(1000);
  });

  it('counts beyond the limit together, and loses nothing', () => {
    const set = new MetricSet('t_');
    const counter = set.counter('c_total', 'C.', ['name']);
    for (let index = 0; index < SERIES_LIMIT + 500; index += 1) counter.add(1, `n${index}`);
    const lines = set
      .text()
      .split('\n')
      .filter((line) => line.startsWith('t_c_total{'));
    expect(lines).toHaveLength(SERIES_LIMIT + 1);
    expect(lines.at(-1)).toBe('t_c_total{name="(other)"} 500');
  });

  it('never lets a counter fall', () => {
    const set = new MetricSet('t_');
    const counter = set.counter('c_total', 'C.');
    counter.raiseTo(5);
    counter.raiseTo(3);
    counter.add(-2);
    expect(set.text()).toContain('t_c_total 5\n');
  });

  it('refuses names that Prometheus would not take', () => {
    const set = new MetricSet('t_');
    expect(() => set.counter('requests', 'No total.')).toThrow('_total');
    expect(() => set.gauge('a-b', 'Dash.')).toThrow('no name');
    set.gauge('a', 'A.');
    expect(() => set.gauge('a', 'A.')).toThrow('already');
  });
});
