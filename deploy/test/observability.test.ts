import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { dashboards } from '../observability/dashboards.ts';
import type { Labels, Workload } from './kubernetes-kinds.ts';
import { ofKind, renderOverlays } from './render.ts';

const folder = join(import.meta.dirname, '../observability');
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: { severity: string };
  annotations?: { summary: string; runbook_url: string };
}
const dashboardFiles = readdirSync(join(folder, 'dashboards'));
const rules = (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert }) => alert ?? []);

/** The runbook: heading of each entry → its text. */
const runbook = new Map(
  read('runbook.md')
    .split(/^## /m)
    .slice(1)
    .map((entry) => [entry.split('\n')[0] ?? '', entry]),
);

describe('what is generated for Grafana and the operator', () => {
  it('shows every dashboard on Kubernetes too', () => {
    const [generator] = (parse(read('kustomization.yaml')) as { configMapGenerator: { files: string[] }[] })
      .configMapGenerator;
    expect(generator?.files.map((file) => file.replace('dashboards/', '')).sort()).toEqual(
      readdirSync(join(folder, 'dashboards')).sort(),
    );
  });
});

/** Names of metrics in an expression of PromQL; `_bucket`, `_sum` and `_count` belong to their histogram. */
function metricsIn(expr: string): string[] {
  const names =
    expr
      .replaceAll(/\{[^}]*\}|\b(by|on) \([^)]*\)|group_left \([^)]*\)|\[[^\]]*\]/g, ' ')
      .match(/\b[a-z]+(_[a-z0-9]+)+\b/g) ?? [];
  return names
    .filter((name) => !/^(histogram_quantile|last_over_time)$/.test(name))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}
const promised = new Set([...read('metrics.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));

describe('alerts and dashboards', () => {
  it('ask for no metric that is not promised in metrics.md', () => {
    const shown = dashboards.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));
    const asked = [...rules.map(({ expr }) => expr), ...shown]
      .filter((expr) => !expr.includes('taskflow:'))
      .flatMap(metricsIn);
    expect([...new Set(asked)].filter((name) => !promised.has(name))).toEqual([]);
    expect(new Set(asked).size).toBeGreaterThan(15);
  });
});

/** The label `job` of a target, as the operator sets it for a PodMonitor, or as a plain scrape configuration says. */
function jobOf(
  monitor: { metadata: { name: string; namespace?: string }; spec: { jobLabel?: string } },
  pod: Labels,
): string {
  const { metadata, spec } = monitor;
  return pod[spec.jobLabel ?? ''] ?? `${metadata.namespace ?? ''}/${metadata.name}`;
}

describe('expressions', () => {
  const shown = dashboardFiles.flatMap((file) =>
    (JSON.parse(read(`dashboards/${file}`)) as { panels: { targets: { expr: string }[] }[] }).panels.flatMap(
      ({ targets }) => targets,
    ),
  );
  const adapter = (
    parse(read('prometheus-adapter.yaml')) as {
      rules: { external: { seriesQuery: string; metricsQuery: string; resources: object }[] };
    }
  ).rules.external;

  it('meet the targets of TaskFlow only, under the job that both ways of scraping give', () => {
    const overlays = renderOverlays();
    for (const overlay of ['staging', 'production'] as const) {
      const [monitor] = ofKind(overlays[overlay], 'PodMonitor');
      const pods = ofKind<Workload>(overlays[overlay], 'Deployment').map(({ spec }) => spec.template.metadata.labels);
      expect(pods.map((labels) => jobOf(monitor as never, labels))).toEqual(pods.map(() => 'taskflow'));
    }
    const {
      scrape_configs: [plain],
    } = parse(read('prometheus.yml')) as { scrape_configs: { job_name: string; relabel_configs: object[] }[] };
    expect(plain).toMatchObject({
      job_name: 'taskflow',
      relabel_configs: [{ target_label: 'namespace', replacement: 'compose' }],
    });

    const exprs = [...rules, ...shown]
      .map(({ expr }) => expr)
      .concat(adapter.flatMap(({ seriesQuery, metricsQuery }) => [seriesQuery, metricsQuery]));
    const selectors = exprs.flatMap((expr) =>
      [...expr.matchAll(/\b(?:up|(?:grpc|process|nodejs|taskflow|db|event|outbox)_\w+)\b(?!\()(\{[^}]*\})?/g)].map(
        ([found]) => found,
      ),
    );
    expect(selectors.length).toBeGreaterThan(60);
    expect(selectors.filter((selector) => !selector.includes('{job="taskflow"'))).toEqual([]);
  });

  it('keep installations in different namespaces apart', () => {
    for (const { expr } of rules) {
      expect(expr.match(/\b(sum|min|max|avg|count)\b(?! by \(namespace, )/g)).toBeNull();
      expect(expr.match(/\b(on|ignoring|without) ?\(/)).toBeNull();
    }
    for (const { expr } of shown)
      for (const [selector] of expr.matchAll(/\{[^}]*\}/g)) expect(selector).toContain('namespace="$namespace"');
    for (const { metricsQuery, resources } of adapter) {
      expect(metricsQuery).toContain('<<.LabelMatchers>>');
      expect(resources).toEqual({ overrides: { namespace: { resource: 'namespace' } } });
    }
  });
});

describe('every alert', () => {
  it.each(rules.filter(({ alert }) => alert !== undefined))(
    '$alert leads to its entry in the runbook',
    ({ alert = '', annotations }) => {
      const anchors = [...read('runbook.md').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      const url = new URL(annotations?.runbook_url ?? '');
      expect(url.pathname).toMatch(/\/runbook\.md$/);
      expect(url.hash).toBe(`#${alert.toLowerCase()}`);
      expect(anchors).toContain(url.hash.slice(1));
    },
  );

  it.each(alerts)('%s says in the runbook what one sees, where to look and what to do', (alert) => {
    const entry = runbook.get(alert) ?? '';
    for (const part of ['**Seen**', '**Look**', '**Do**']) expect(entry).toContain(part);
  });

  it('is tested, and says who must act', () => {
    const tested = (
      parse(read('alerts.test.yml')) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
      }
    ).tests;
    expect(
      tested.flatMap((test) => test.alert_rule_test).filter(({ exp_alerts: fired = [] }) => fired.length === 0),
    ).toEqual([]);
    expect(tested.flatMap((test) => test.alert_rule_test.map(({ alertname }) => alertname)).sort()).toEqual(
      [...alerts].sort(),
    );
    expect(
      rules.filter(({ alert, labels }) => alert !== undefined && !['page', 'ticket'].includes(labels?.severity ?? '')),
    ).toEqual([]);
  });

  it('stands in the runbook, which has no entry without an alert', () => {
    expect([...runbook.keys()].sort()).toEqual([...alerts].sort());
  });
});
