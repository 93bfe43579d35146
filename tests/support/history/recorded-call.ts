export type Event = readonly string[];
export type Stm = readonly Event[];

export interface ObserveReply {
  readonly time: number;
  readonly stmLength: number;
  readonly replayed: boolean;
}

export interface StmReply {
  readonly stm: Stm;
  readonly length: number;
  readonly time: number;
}

/** Failed: surely without effect. Unknown: took effect once at any moment after its start, or never. */
export type NoReply = {
  readonly outcome: "failed" | "unknown";
  /** What the service said of the session, which was so at a moment between start and end. */
  readonly refusal?: Refusal | undefined;
  readonly error?: unknown;
};
export type Refusal = "SESSION_NOT_FOUND" | "EMPTY_STM";
export type Outcome<Reply> = { readonly outcome: "ok"; readonly reply: Reply } | NoReply;

/** Both in the unit of one clock that never runs backwards. Calls that touch at one instant overlap. */
export interface Interval {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Calls that share an `observationId` are attempts at one observation. An empty event only advances time. */
export type RecordedObserve = Interval &
  Outcome<ObserveReply> & {
    readonly kind: "observe";
    readonly session: string;
    readonly observationId: string;
    readonly event: Event;
  };
export type RecordedStm = Interval &
  Outcome<StmReply> & { readonly kind: "stm"; readonly session: string };
export type RecordedClear = Interval &
  Outcome<unknown> & { readonly kind: "clear"; readonly session: string };
export type RecordedCall = RecordedObserve | RecordedStm | RecordedClear;
