/**
 * Writes what Grafana and the Prometheus operator take:
 *
 *   node deploy/observability/generate.ts [DIRECTORY]     DIRECTORY holds alerts.yml; this folder unless given
 *
 * dashboards/*.json from dashboards.ts, and rules.yaml (a PrometheusRule) from alerts.yml.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { dashboards, type Dashboard, type Panel } from './dashboards.ts';

const datasource = { type: 'prometheus', uid: 'prometheus' };
const columns = 24;

function toPanel(panel: Panel, id: number, place: { x: number; y: number }): object {
  const targets = panel.queries.map(({ expr, legend }, index) => ({ refId: String.fromCodePoint(65 + index), datasource, expr, legendFormat: legend }));
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
  return {
    name,
    type: 'query',
    datasource,
    query: { query: `label_values(grpc_server_handled_total, ${name})`, refId: 'variable' },
    refresh: 2,
    includeAll: true,
    multi: true,
    current: { text: 'All', value: '$__all' },
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
    templating: { list: variables.map(toVariable) },
    links: [{ type: 'dashboards', tags: ['taskflow'], title: 'TaskFlow', asDropdown: true, includeVars: true, keepTime: true }],
    panels: arrange(panels),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const directory = process.argv[2] ?? import.meta.dirname;
mkdirSync(join(directory, 'dashboards'), { recursive: true });
for (const dashboard of dashboards) writeFileSync(join(directory, `dashboards/${dashboard.uid}.json`), toJson(dashboard));

const { groups } = parse(readFileSync(join(directory, 'alerts.yml'), 'utf8')) as { groups: object[] };
const rule = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'taskflow' }, spec: { groups } };
writeFileSync(join(directory, 'rules.yaml'), `# Generated from alerts.yml by generate.ts; not edited by hand.\n${stringify(rule, { lineWidth: 0 })}`);
