import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dashboards } from '../observability/dashboards.ts';

const folder = join(import.meta.dirname, '../observability');
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity: string };
}
const rules = (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert }) => alert ?? []);

/** The runbook: heading of each entry → its text. */
const runbook = new Map(read('runbook.md').split(/^## /m).slice(1).map((entry) => [entry.split('\n')[0] ?? '', entry]));

describe('what is generated for Grafana and the operator', () => {
  it('is what the generator makes of alerts.yml and dashboards.ts now (node deploy/observability/generate.ts)', () => {
    const copy = mkdtempSync(join(tmpdir(), 'taskflow-observability-'));
    cpSync(folder, copy, { recursive: true });
    execFileSync(process.execPath, [join(folder, 'generate.ts'), copy]);
    const files = ['rules.yaml', ...readdirSync(join(folder, 'dashboards')).map((name) => `dashboards/${name}`)];
    for (const file of files) expect(readFileSync(join(copy, file), 'utf8')).toBe(read(file));
    expect(readdirSync(join(copy, 'dashboards'))).toEqual(readdirSync(join(folder, 'dashboards')));
    rmSync(copy, { recursive: true });
  });

  it('shows every dashboard on Kubernetes too', () => {
    const [generator] = (parse(read('kustomization.yaml')) as { configMapGenerator: { files: string[] }[] }).configMapGenerator;
    expect(generator?.files.map((file) => file.replace('dashboards/', '')).sort()).toEqual(readdirSync(join(folder, 'dashboards')).sort());
  });
});

/** Names of metrics in an expression of PromQL; `_bucket`, `_sum` and `_count` belong to their histogram. */
function metricsIn(expr: string): string[] {
  const names = expr.replaceAll(/\{[^}]*\}|\b(by|on) \([^)]*\)|group_left \([^)]*\)|\[[^\]]*\]/g, ' ').match(/\b[a-z]+(_[a-z0-9]+)+\b/g) ?? [];
  return names.filter((name) => !/^(histogram_quantile|last_over_time)$/.test(name)).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}
const promised = new Set([...read('metrics.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));

describe('alerts and dashboards', () => {
  it('ask for no metric that is not promised in metrics.md', () => {
    const shown = dashboards.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));
    const asked = [...rules.map(({ expr }) => expr), ...shown].filter((expr) => !expr.includes('taskflow:')).flatMap(metricsIn);
    expect([...new Set(asked)].filter((name) => !promised.has(name))).toEqual([]);
    expect(new Set(asked).size).toBeGreaterThan(15);
  });
});

describe('every alert', () => {
  it.each(alerts)('%s says in the runbook what one sees, where to look and what to do', (alert) => {
    const entry = runbook.get(alert) ?? '';
    for (const part of ['**Seen**', '**Look**', '**Do**']) expect(entry).toContain(part);
  });

  it('is tested, and says who must act', () => {
    const tested = (parse(read('alerts.test.yml')) as { tests: { alert_rule_test: { alertname: string }[] }[] }).tests;
    expect(tested.flatMap((test) => test.alert_rule_test.map(({ alertname }) => alertname)).sort()).toEqual([...alerts].sort());
    expect(rules.filter(({ alert, labels }) => alert !== undefined && !['page', 'ticket'].includes(labels?.severity ?? ''))).toEqual([]);
  });

  it('stands in the runbook, which has no entry without an alert', () => {
    expect([...runbook.keys()].sort()).toEqual([...alerts].sort());
  });
});
