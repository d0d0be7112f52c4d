"""Imports that people leave out of a repro because everybody knows them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PLAIN = """
    abc argparse ast asyncio atexit bisect cProfile collections contextlib copy ctypes cv2
    dataclasses datetime einops enum faulthandler functools functorch gc glob hashlib heapq
    importlib inspect io itertools jax json linecache logging math multiprocessing numpy onnx
    onnxruntime operator os pathlib pickle platform pprint psutil pytest random re scipy shutil
    socket subprocess sys tempfile textwrap threading time timeit torch torchaudio torchvision
    traceback tracemalloc transformers triton types typing unittest uuid warnings weakref
"""
"""``import math``."""

_SHORT = {
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "optim": "torch.optim",
    "dist": "torch.distributed",
    "mp": "torch.multiprocessing",
    "fx": "torch.fx",
    "jit": "torch.jit",
    "autograd": "torch.autograd",
    "cudnn": "torch.backends.cudnn",
    "pytree": "torch.utils._pytree",
    "models": "torchvision.models",
    "transforms": "torchvision.transforms",
    "pd": "pandas",
    "benchmark": "torch.utils.benchmark",
    "distributions": "torch.distributions",
    "dynamo": "torch._dynamo",
    "jnp": "jax.numpy",
    "prims": "torch._prims",
    "refs": "torch._refs",
    "tf": "tensorflow",
    "torchdynamo": "torch._dynamo",
    "tl": "triton.language",
    "np": "numpy",
    "plt": "matplotlib.pyplot",
}
"""``import numpy as np``."""

_FROM = {
    "torch": "Tensor",
    "torch.nn": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool2d AvgPool1d "
        "AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d BatchNorm3d "
        "Bilinear CELU CTCLoss ChannelShuffle CircularPad2d ConstantPad1d ConstantPad2d Conv1d "
        "Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss "
        "CosineSimilarity CrossEntropyLoss CrossMapLRN2d DataParallel Dropout Dropout2d "
        "Dropout3d ELU Embedding EmbeddingBag Flatten Fold FractionalMaxPool2d GELU GLU GRU "
        "GRUCell GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh "
        "HingeEmbeddingLoss HuberLoss Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d "
        "KLDivLoss L1Loss LSTM LSTMCell LayerNorm LazyConv2d LazyLinear LeakyReLU Linear "
        "LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d "
        "MaxPool3d MaxUnpool2d Mish Module ModuleDict ModuleList MultiLabelMarginLoss "
        "MultiMarginLoss MultiheadAttention NLLLoss PReLU PairwiseDistance Parameter "
        "ParameterDict ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN "
        "RNNCell RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReplicationPad2d SELU "
        "Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus "
        "Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold Transformer "
        "TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer "
        "TripletMarginLoss Unflatten Unfold Upsample ZeroPad2d init"
    ),
    "torch.autograd": "Function Variable gradcheck gradgradcheck",
    "torch.utils.data": (
        "BatchSampler ConcatDataset DataLoader Dataset DistributedSampler IterDataPipe "
        "IterableDataset RandomSampler Sampler SequentialSampler Subset TensorDataset "
        "WeightedRandomSampler default_collate get_worker_info random_split"
    ),
    "torch.utils.tensorboard": "SummaryWriter",
    "torch.nn.utils.rnn": (
        "PackedSequence pack_padded_sequence pack_sequence pad_packed_sequence pad_sequence"
    ),
    "torch.profiler": "ProfilerActivity profile record_function tensorboard_trace_handler",
    "torch.amp": "GradScaler",
    "torch.nn.parallel": "DistributedDataParallel",
    "torch.distributed.fsdp": (
        "CPUOffload FullyShardedDataParallel MixedPrecision MixedPrecisionPolicy "
        "ShardingStrategy StateDictType fully_shard"
    ),
    "torch.fx.experimental.proxy_tensor": "ProxyTorchDispatchMode make_fx",
    "torch.nn.attention.flex_attention": "BlockMask create_block_mask flex_attention",
    "torch.export": "Dim ExportedProgram draft_export dynamic_dim export",
    "torch.testing": "assert_close make_tensor",
    "torch.utils.checkpoint": "checkpoint",
    "torch.distributed.device_mesh": "DeviceMesh init_device_mesh",
    "torch.distributed.tensor": (
        "DTensor Partial Replicate Shard distribute_module distribute_tensor"
    ),
    "torch._subclasses": "FakeTensor FakeTensorMode",
    "torch.fx.experimental.symbolic_shapes": "ShapeEnv guard_size_oblivious",
    "torch._dynamo.testing": (
        "CompileCounter CompileCounterWithBackend EagerAndRecordGraphs rand_strided"
    ),
    "torch._inductor.utils": "fresh_inductor_cache run_and_get_code run_and_get_triton_code",
    "torch.masked": "MaskedTensor as_masked_tensor masked_tensor",
    "torch.func": (
        "functional_call functionalize grad hessian jacfwd jacrev jvp linearize "
        "stack_module_state vjp vmap"
    ),
    "torch.utils._pytree": "tree_map",
    "torch.utils._python_dispatch": "TorchDispatchMode",
    "torch.overrides": "TorchFunctionMode",
    "torch.testing._internal.common_distributed": (
        "MultiProcessTestCase spawn_threads_and_init_comms"
    ),
    "torch._dynamo.exc": "Unsupported",
    "torch.fx": "GraphModule Interpreter Tracer symbolic_trace",
    "torch.ao.quantization.quantize_fx": "convert_fx prepare_fx prepare_qat_fx",
    "torch.ao.quantization": (
        "DeQuantStub QConfig QConfigMapping QuantStub default_qconfig fuse_modules "
        "get_default_qat_qconfig get_default_qconfig get_default_qconfig_mapping prepare_qat "
        "quantize_dynamic"
    ),
    "torch._dynamo.utils": "counters",
    "functorch.compile": "aot_function aot_module make_boxed_func",
    "torch.testing._internal.common_utils": (
        "TestCase instantiate_parametrized_tests parametrize run_tests skipIfTorchDynamo"
    ),
    "transformers": (
        "AutoConfig AutoModel AutoModelForCausalLM AutoModelForMaskedLM "
        "AutoModelForSequenceClassification AutoTokenizer BertConfig "
        "BertForSequenceClassification BertModel BertTokenizer GPT2Config GPT2LMHeadModel "
        "GPT2Model GPT2Tokenizer LlamaConfig LlamaForCausalLM LlamaTokenizer "
        "T5ForConditionalGeneration Trainer TrainingArguments pipeline"
    ),
    "diffusers": "DiffusionPipeline StableDiffusionPipeline",
    "PIL": "Image",
    "torch.optim": (
        "ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS NAdam Optimizer RAdam RMSprop Rprop SGD "
        "SparseAdam lr_scheduler"
    ),
    "torch.distributions": (
        "Bernoulli Beta Binomial Categorical Cauchy Dirichlet Distribution Exponential Gamma "
        "Geometric Gumbel HalfCauchy HalfNormal Independent Kumaraswamy LKJCholesky Laplace "
        "LogNormal LowRankMultivariateNormal MixtureSameFamily Multinomial MultivariateNormal "
        "NegativeBinomial Normal OneHotCategorical Pareto Poisson RelaxedBernoulli "
        "RelaxedOneHotCategorical StudentT TransformedDistribution Uniform VonMises Weibull "
        "Wishart kl_divergence"
    ),
    "torch.distributed.tensor.parallel": (
        "ColwiseParallel PrepareModuleInput RowwiseParallel SequenceParallel loss_parallel "
        "parallelize_module"
    ),
    "torch.optim.lr_scheduler": (
        "CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LambdaLR LinearLR "
        "MultiStepLR OneCycleLR PolynomialLR ReduceLROnPlateau SequentialLR StepLR"
    ),
    "torch.nn.attention": "SDPBackend sdpa_kernel",
    "torch.utils.benchmark": "Timer",
    "torchvision.transforms": "Compose Normalize Resize ToTensor",
    "torch._functorch.aot_autograd": "aot_export_module aot_module_simplified",
    "torch.cuda.amp": "autocast",
    "torch.library": "custom_op register_fake triton_op wrap_triton",
    "torch.distributed.checkpoint.state_dict": "get_model_state_dict get_state_dict set_state_dict",
    "torch.testing._internal.common_device_type": "instantiate_device_type_tests",
    "torch.utils.cpp_extension": "load_inline",
    "einops": "rearrange",
    "torchvision.models": "alexnet mobilenet_v2 resnet101 resnet18 resnet34 resnet50 vgg16",
    "torch.nn.functional": "scaled_dot_product_attention",
    "tqdm": "tqdm",
    "datetime": "timedelta",
    "contextlib": "contextmanager nullcontext",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "copy": "deepcopy",
    "pathlib": "Path",
    "functools": "lru_cache partial reduce wraps",
    "dataclasses": "dataclass field",
    "typing": (
        "Any Callable Dict Iterable Iterator List NamedTuple Optional Sequence Set Tuple Union"
    ),
    "torch.optim.swa_utils": "AveragedModel SWALR",
    "torch.nn.utils": (
        "clip_grad_norm_ clip_grad_value_ parameters_to_vector spectral_norm "
        "vector_to_parameters weight_norm"
    ),
    "torch.nn.utils.parametrizations": "orthogonal",
    "torch.fx.passes.fake_tensor_prop": "FakeTensorProp",
    "torch._subclasses.functional_tensor": "FunctionalTensorMode",
    "torch._dynamo": "explain",
    "torch.autograd.functional": "hvp vhp",
    "torch.autograd.forward_ad": "dual_level make_dual unpack_dual",
    "torch.distributed.fsdp.wrap": (
        "ModuleWrapPolicy size_based_auto_wrap_policy transformer_auto_wrap_policy"
    ),
    "torch.distributed.optim": "ZeroRedundancyOptimizer",
    "torch.distributed.pipelining": "PipelineStage ScheduleGPipe",
    "torch.ao.quantization.quantize_pt2e": "convert_pt2e prepare_pt2e",
    "torch._export": "capture_pre_autograd_graph",
    "torch.utils.mobile_optimizer": "optimize_for_mobile",
    "torch.package": "PackageExporter PackageImporter",
    "torchvision.datasets": "CIFAR10 FashionMNIST ImageFolder MNIST",
    "itertools": "chain product",
    "enum": "Enum",
    "abc": "ABC abstractmethod",
    "threading": "Thread",
    "time": "perf_counter sleep",
    "unittest.mock": "patch",
}
"""``from pathlib import Path``."""

_OTHERS = {
    "DDP": "from torch.nn.parallel import DistributedDataParallel as DDP",
    "FSDP": "from torch.distributed.fsdp import FullyShardedDataParallel as FSDP",
    "_Reduction": "from torch.nn import _reduction as _Reduction",
    "xrange": "xrange = range",
    "long": "long = int",
    "unicode": "unicode = str",
    "concurrent": "import concurrent.futures",
}

IMPORTS = (
    {"torch": "import torch"}
    | {name: f"import {module} as {name}" for name, module in _SHORT.items()}
    | {
        name: f"from {module} import {name}"
        for module, names in _FROM.items()
        for name in names.split()
    }
    | _OTHERS
    | {name: f"import {name}" for name in _PLAIN.split()}
)
"""The name that everybody means, and its import."""


def only_handed_on(tree: ast.Module, names: Collection[str]) -> frozenset[str]:
    """Return which of these names are never called or looked into.

    ``checkpoint`` may be the function that everybody means; handed to ``torch.load`` it is a
    variable that the writer left out. A class is written with a capital letter.
    """
    small = {name for name in names if name in IMPORTS and name.islower()}
    if not small:
        return frozenset()
    used = {name for node in ast.walk(tree) for name in _used_as_itself(node)}
    return frozenset(small - used)


def _used_as_itself(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id=name)) | ast.Call(func=ast.Name(id=name)):
            yield name
        case ast.FunctionDef(decorator_list=decorators) | ast.ClassDef(decorator_list=decorators):
            yield from (one.id for one in decorators if isinstance(one, ast.Name))
        case _:
            pass
