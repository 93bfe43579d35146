export type { KatoClient } from "./client.ts";
export { createKatoClient } from "./client.ts";
export type { CallOutcome } from "@kato-rpc/shared/errors.ts";
export type { ClientErrorCode, KatoErrorCode } from "./errors.ts";
export { isKatoError, KatoError } from "./errors.ts";
export type { BatchLimits, CallOptions, KatoClientOptions } from "./options.ts";
export type { KatoInputs, KatoOutputs, KatoRouter } from "./router-types.ts";
export type { CreatedSession, SessionHandle } from "./session-handle.ts";
export type { NodeProcedures } from "./node-procedures.ts";
export type { NextEvent, NextReason, NoNextReason } from "@kato-rpc/shared/next.ts";
export type {
  EmptyReason,
  FuturePotential,
  Prediction,
  SequencePrediction,
  SymbolPrediction,
} from "@kato-rpc/shared/prediction.ts";
