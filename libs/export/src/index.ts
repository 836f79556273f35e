export { auditEvents, commonTables } from './common-parts.ts';
export { defineExportPart, type ExportedData, type ExportPart } from './export-part.ts';
export { bindExport } from './export.handlers.ts';
export { createExporter, type Exporter, type ExporterOptions } from './exporter.ts';
export { followPages, pageSize, readPages } from './pages.ts';
