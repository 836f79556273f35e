export interface WebhookRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface WebhookAnswer {
  /** Undefined when there was no answer. */
  statusCode: number | undefined;
  /** '' for a success. */
  error: string;
  /** When the endpoint asks for a pause. */
  retryAfterMs: number | undefined;
  durationMs: number;
}

/** Sends over HTTP. Throws only when the signal fires: every fault of the endpoint is an answer. */
export interface WebhookSender {
  send(message: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>;
}
