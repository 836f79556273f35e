/** Writes dashboards/*.json for Grafana from dashboards.ts, and rules.yaml (a PrometheusRule) from alerts.yml. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Dashboard, Panel } from './dashboard.ts';
import { dashboards } from './dashboards.ts';

const datasource = { type: 'prometheus', uid: 'prometheus' };
const columns = 24;

const chosen = 'job="taskflow", namespace="$namespace"';

/** Narrows every selector to TaskFlow's targets in the chosen namespace, so that installations never add up. */
function narrow(expr: string): string {
  return expr.replaceAll(
    /\b(?:(?:grpc|process|nodejs|taskflow|db|event|outbox)_\w+|taskflow:[\w:]+)(\{?)/g,
    (found, brace: string) => {
      const matchers = found.startsWith('taskflow:') ? 'namespace="$namespace"' : chosen;
      return brace === '' ? `${found}{${matchers}}` : `${found}${matchers}, `;
    },
  );
}

function toPanel(panel: Panel, id: number, place: { x: number; y: number }): object {
  const targets = panel.queries.map(({ expr, legend }, index) => ({
    refId: String.fromCodePoint(65 + index),
    datasource,
    expr: narrow(expr),
    legendFormat: legend,
  }));
  return {
    id,
    title: panel.title,
    description: panel.description,
    type: panel.kind ?? 'timeseries',
    datasource,
    gridPos: { ...place, w: panel.width ?? 12, h: 8 },
    fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
    targets,
  };
}

/** Left to right, top to bottom. */
function arrange(panels: readonly Panel[]): object[] {
  let [x, y] = [0, 0];
  return panels.map((panel, index) => {
    const width = panel.width ?? 12;
    if (x + width > columns) [x, y] = [0, y + 8];
    const placed = toPanel(panel, index + 1, { x, y });
    x += width;
    return placed;
  });
}

function toVariable(name: string): object {
  const isNamespace = name === 'namespace';
  const query = isNamespace
    ? 'label_values(grpc_server_handled_total{job="taskflow"}, namespace)'
    : `label_values(grpc_server_handled_total{${chosen}}, ${name})`;
  return {
    name,
    type: 'query',
    datasource,
    query: { query, refId: 'variable' },
    refresh: 2,
    // One installation at a time.
    ...(!isNamespace && { includeAll: true, multi: true, current: { text: 'All', value: '$__all' } }),
  };
}

function toJson({ uid, title, variables = [], panels }: Dashboard): string {
  const dashboard = {
    uid: `taskflow-${uid}`,
    title: `TaskFlow: ${title}`,
    tags: ['taskflow'],
    schemaVersion: 41,
    editable: false,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: ['namespace', ...variables].map(toVariable) },
    links: [
      {
        type: 'dashboards',
        tags: ['taskflow'],
        title: 'TaskFlow',
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    panels: arrange(panels),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** `directory` holds observability/ with alerts.yml. */
export function generateObservability(directory: string): void {
  const folder = join(directory, 'observability');
  mkdirSync(join(folder, 'dashboards'), { recursive: true });
  for (const dashboard of dashboards)
    writeFileSync(join(folder, `dashboards/${dashboard.uid}.json`), toJson(dashboard));
  const { groups } = parse(readFileSync(join(folder, 'alerts.yml'), 'utf8')) as { groups: object[] };
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'taskflow' },
    spec: { groups },
  };
  writeFileSync(
    join(folder, 'rules.yaml'),
    `# Generated from alerts.yml by npm run manifests; not edited by hand.\n${stringify(rule, { lineWidth: 0 })}`,
  );
}
