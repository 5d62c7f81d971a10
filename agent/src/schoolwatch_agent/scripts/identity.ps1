# What tells this machine from another (digests of it are sent, nothing else), and whether UWF filters writes.
function Get-Part([scriptblock]$Part) { try { @(& $Part) } catch { @() } }
[pscustomobject]@{
  system = Get-Part { Get-CimInstance Win32_ComputerSystemProduct -Property UUID | Select-Object UUID }
  board = Get-Part { Get-CimInstance Win32_BaseBoard -Property SerialNumber | Select-Object SerialNumber }
  # BusType 7 is USB: what can be carried away tells nothing (MSFT_PhysicalDisk)
  disk = Get-Part { Get-CimInstance -Namespace root\Microsoft\Windows\Storage -ClassName MSFT_PhysicalDisk |
    Where-Object BusType -ne 7 | Select-Object SerialNumber }
  mac = Get-Part { Get-NetAdapter -Physical | Select-Object PermanentAddress }
  uwf = Get-Part { Get-CimInstance -Namespace root\standardcimv2\embedded -ClassName UWF_Filter |
    Select-Object CurrentEnabled }
} | ConvertTo-Json -Depth 3 -Compress
