/** The tokens of sensors and edge agents; each call carries a one-time code. */

import { useMutation, type UseMutationResult } from "@tanstack/react-query";

import { api, body } from "./client";

export interface Device {
  readonly kind: "sensor" | "agent";
  readonly id: string;
  readonly name: string;
}

export interface TokenRequest {
  readonly device: Device;
  readonly otp: string;
  /** How long the old token stays good beside the new one, in seconds; null only shows the present one. */
  readonly overlapS: number | null;
}

export interface DeviceToken {
  readonly token: string;
  /** Until when the one before stays good, where it does. */
  readonly old_token_until?: string | null;
}

/** Show a sensor's token, or give a device another one. */
export function useDeviceToken(): UseMutationResult<DeviceToken, Error, TokenRequest> {
  return useMutation({
    mutationFn: ({ device, otp, overlapS }: TokenRequest): Promise<DeviceToken> => {
      const header = { "X-OTP": otp };
      if (device.kind === "agent") {
        const path = { agent_id: device.id };
        return body(api.POST("/api/v1/edge-agents/{agent_id}/rotate-token", { params: { path, header }, body: { overlap_s: overlapS ?? 0 } }));
      }
      const path = { sensor_id: device.id };
      if (overlapS === null) return body(api.GET("/api/v1/sensors/{sensor_id}/token", { params: { path, header } }));
      return body(api.POST("/api/v1/sensors/{sensor_id}/rotate-token", { params: { path, header }, body: { overlap_s: overlapS } }));
    },
    // The token goes with the dialog that showed it.
    gcTime: 0,
  });
}
