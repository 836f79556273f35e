import { ExportServiceService } from '#contract/export/v1/export';
import { bind, requireUser, type ServiceBinding } from '#libs/grpc';
import type { Exporter } from './exporter.ts';

/** What this service stores of people, for each of them. */
export function bindExport(exporter: Exporter): ServiceBinding {
  return bind(ExportServiceService, {
    exportMyData: async function* (_request, call) {
      for await (const lines of exporter(requireUser(call))) yield { lines };
    },
  });
}
