/** One's own account: password, second factor, sessions, personal tokens. */

import { useMutation, useQuery, useQueryClient, type QueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Enrollment, PersonalToken, PersonalTokenCreate, Session } from "./model";

export interface PasswordChange {
  readonly password: string;
  readonly new_password: string;
  /** Where a second factor is set up. */
  readonly otp?: string;
}

export function useChangePassword(): UseMutationResult<unknown, Error, PasswordChange> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: PasswordChange) => body(api.POST("/api/v1/auth/password/change", { body: change })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

/** Begin a second factor: the answer holds the secret for the authenticator. */
export function useEnroll(): UseMutationResult<Enrollment, Error, string> {
  return useMutation({
    mutationFn: (password: string) => body(api.POST("/api/v1/auth/mfa/enroll", { body: { password } })),
    // The secret goes with the dialog that showed it.
    gcTime: 0,
  });
}

/** Set up the second factor by its first code; the answer holds the recovery codes, once. */
export function useConfirmFactor(): UseMutationResult<readonly string[], Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (otp: string): Promise<readonly string[]> => (await body(api.POST("/api/v1/auth/mfa/confirm", { body: { otp } }))).recovery_codes,
    gcTime: 0,
    onSuccess: () => changed(client),
  });
}

export interface BothProofs {
  readonly password: string;
  readonly otp: string;
}

export type FactorChange = "disable" | "recovery-codes";

/** Take the second factor away, or replace the recovery codes; the answer holds the new ones, where there are some. */
export function useChangeFactor(change: FactorChange): UseMutationResult<readonly string[], Error, BothProofs> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (proofs: BothProofs): Promise<readonly string[]> => {
      if (change === "recovery-codes") return (await body(api.POST("/api/v1/auth/mfa/recovery-codes", { body: proofs }))).recovery_codes;
      await body(api.POST("/api/v1/auth/mfa/disable", { body: proofs }));
      return [];
    },
    gcTime: 0,
    onSuccess: () => changed(client),
  });
}

/** A change of the second factor ends other sessions. */
async function changed(client: QueryClient): Promise<void> {
  await Promise.all([client.invalidateQueries({ queryKey: ["me"] }), client.invalidateQueries({ queryKey: ["sessions"] })]);
}

/** One's sessions: those that go on, and those that ended within thirty days. */
export function useSessions(): UseQueryResult<Session[]> {
  return useQuery({ queryKey: ["sessions"], queryFn: async () => [...(await body(api.GET("/api/v1/auth/sessions"))).items] });
}

export function useEndSession(): UseMutationResult<unknown, Error, Session> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Session) => body(api.DELETE("/api/v1/auth/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["sessions"] }),
  });
}

export function usePersonalTokens(): UseQueryResult<PersonalToken[]> {
  return useQuery({ queryKey: ["personal tokens"], queryFn: async () => [...(await body(api.GET("/api/v1/auth/tokens"))).items] });
}

export function useCreatePersonalToken(): UseMutationResult<PersonalToken, Error, PersonalTokenCreate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: PersonalTokenCreate) => body(api.POST("/api/v1/auth/tokens", { body: token })),
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: ["personal tokens"] }),
  });
}

export function useRevokePersonalToken(): UseMutationResult<unknown, Error, PersonalToken> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: PersonalToken) => body(api.DELETE("/api/v1/auth/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["personal tokens"] }),
  });
}
