"""From the name of a provider to the model behind it."""

from collections.abc import Mapping

from engarde_daemon.adapters.llm.template import TemplateModel
from engarde_daemon.ports.models import FaultKind, LanguageModel, ModelFault, ProviderRules, Secret


class HouseOfModels:
    """The `ModelHouse` port."""

    def __init__(self, providers: Mapping[str, ProviderRules]) -> None:
        self._providers = providers

    def model_of(self, provider: str, secret: Secret | None) -> LanguageModel:
        """See `ModelHouse.model_of`."""
        del secret
        if provider not in self._providers:
            raise ModelFault(FaultKind.LOCKED, f"The provider {provider} is not configured here.")
        return TemplateModel()

    async def close(self) -> None:
        """See `ModelHouse.close`."""
