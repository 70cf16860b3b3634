/** What the door needs to know. */
export interface Options {
  /** Where to send, with the project key: what `pourtrait door add` printed. Nothing is sent without it. */
  url: string;
  /** The version of the app, such as the commit. */
  release?: string;
  /** production by default. */
  environment?: 'production' | 'preview' | 'development';
  /** Whether people may be recognised: their id and visit. False by default. */
  consent?: boolean;
  /** After how many milliseconds what was gathered is sent; 2000 by default. */
  every?: number;
}

/** What is said beside: text, numbers, lists and objects of them, at most 100. */
export type Properties = Record<string, unknown>;

/** A measurement as `web-vitals` and Next.js's `useReportWebVitals` give it. */
export interface WebVital {
  id: string;
  name: string;
  value: number;
  rating?: string;
  navigationType?: string;
  navigationURL?: string;
}

export interface Door {
  /** Something went wrong. What nobody caught is told by itself, and what is told twice comes once. */
  error(thrown: unknown, properties?: { severity?: 'low' | 'medium' | 'high' | 'critical'; category?: string; handled?: boolean }): void;
  /** Something happened. */
  event(name: string, properties?: Properties): void;
  /** A page was looked at; the route (`/wines/[id]`) rather than the address. */
  pageView(path?: string, properties?: Properties): void;
  /** How a page felt, the one on which it was measured; may be handed to web-vitals as it is. */
  webVital(metric: WebVital, path?: string): void;
  /** A number that the app counts itself. */
  metric(name: string, value: number, properties?: Properties): void;
  /** What somebody wrote: where they want to be answered if they left that, and whether it is about the last error. */
  feedback(message: string, properties?: Properties & { contact?: string; about?: 'last_error' }): void;
  /** Who is there, by the app's own id and never by an address; sent with consent alone. */
  identify(id: string | undefined): void;
  /** Gives consent, or takes it back at once. */
  consent(given: boolean): void;
  /** Sends what was gathered now. */
  flush(): Promise<void>;
}

/** Opens the door. */
export function open(options: Options): Door;
