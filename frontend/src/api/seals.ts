/** Manifests of sealed captures, sealing and verifying them. */

import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api, body } from "./client";
import type { Capture, Manifest, Verification } from "./model";

const path = (capture: Capture): { readonly params: { readonly path: { readonly capture_id: string } } } => ({
  params: { path: { capture_id: capture.id } },
});

/** What each seal of a capture holds; read anew with every seal. */
export function useManifest(capture: Capture): UseQueryResult<Manifest> {
  return useQuery({
    queryKey: ["manifest", capture.id, capture.seals],
    queryFn: () => body(api.GET("/api/v1/captures/{capture_id}/manifest", path(capture))),
    enabled: capture.seals > 0,
  });
}

export function useSeal(capture: Capture): UseMutationResult<Capture, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.POST("/api/v1/captures/{capture_id}/seal", path(capture))),
    onSuccess: () => client.invalidateQueries({ queryKey: ["captures"] }),
  });
}

/** Let the hub compute counts, hashes and physical values once more. */
export function useVerify(capture: Capture): UseMutationResult<Verification, Error, void> {
  return useMutation({ mutationFn: () => body(api.POST("/api/v1/captures/{capture_id}/verify", path(capture))) });
}
