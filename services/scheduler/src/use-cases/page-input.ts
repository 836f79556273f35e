/** The fields of every list. */
export interface PageInput {
  pageSize: number;
  /** '' = the first page. */
  pageToken: string;
}
