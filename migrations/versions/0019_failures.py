"""Why a capture failed, as a code and by sensor, beside the sentence."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Captures that failed before have the sentence only.
    op.execute(
        """
        alter table capture_session
          add column failure_code text
            check (failure_code in ('samples_lost', 'samples_not_storable')),
          add column failure_sensors jsonb,
          add constraint capture_failure_whole
            check ((failure_code is null) = (failure_sensors is null) and (failure_code is null or failure is not null))
        """
    )


def downgrade() -> None:
    op.execute("alter table capture_session drop column failure_code, drop column failure_sensors")
